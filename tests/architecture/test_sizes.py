"""The size checks pass, and each of them fails when it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

import check_sizes

REPOSITORY = Path(__file__).parents[2]


def test_the_tree_keeps_its_sizes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    assert check_sizes.main([]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("long.py", "x = 1\n" * 601, "601 lines, the limit is 600"),
        ("utils.py", "", "the name says nothing"),
        ("core.py", "", "the name says nothing"),
        ("f.py", "def f():\n" + "    x = 1\n" * 60, "f has 61 lines, the limit is 60"),
        ("g.py", "def g(a, b, c, d, e, f, *, h): ...\n", "g has 7 parameters, the limit is 6"),
    ],
)
def test_what_has_grown_too_large_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, source: str, expected: str
) -> None:
    (tmp_path / name).write_text(source)
    assert check_sizes.main([str(tmp_path)]) == 1
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("long.py", "x = 1\n" * 600),
        ("f.py", "def f():\n" + "    x = 1\n" * 59),
        ("g.py", "class G:\n    def g(self, a, b, c, d, e, f): ...\n"),
    ],
)
def test_what_is_just_within_its_limit_passes(tmp_path: Path, name: str, source: str) -> None:
    (tmp_path / name).write_text(source)
    assert check_sizes.main([str(tmp_path)]) == 0


def test_a_file_past_400_lines_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "long.py").write_text("x = 1\n" * 401)
    assert check_sizes.main([str(tmp_path)]) == 0
    assert "warning: " in capsys.readouterr().out
