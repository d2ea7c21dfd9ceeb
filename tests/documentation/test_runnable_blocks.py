"""Python blocks marked ``python runnable`` run, page by page, from the first to the last."""

from __future__ import annotations

from pathlib import Path

import pytest

from documentation.pages import Page, pages_of

PAGES = {page.name: page for page in pages_of(Path(__file__).resolve().parents[2])}
RUNNABLE = "python runnable"


def run_blocks(page: Page) -> None:
    """Run the blocks of a page in one namespace."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in page.blocks:
        if block.info == RUNNABLE:
            source = "\n" * (block.line - 1) + block.text
            exec(compile(source, str(page.path), "exec"), names)  # noqa: S102 - our own pages


def names_with_blocks() -> list[str]:
    return [
        name for name, page in PAGES.items() if any(block.info == RUNNABLE for block in page.blocks)
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_templates")
@pytest.mark.parametrize("name", names_with_blocks())
def test_the_blocks_of_the_page_run(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    run_blocks(PAGES[name])
    assert capsys.readouterr().out


def test_there_are_blocks_to_run() -> None:
    assert "docs/guides/python.md" in names_with_blocks()


def test_python_blocks_are_at_least_python() -> None:
    for page in PAGES.values():
        for block in page.blocks:
            if block.language == "python":
                compile(block.text, f"{page.name}:{block.line}", "exec")


def test_a_block_that_fails_is_found(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    text = "# Page\n\n```python runnable\nx = 1\n```\n\n```python runnable\nassert x == 2\n```\n"
    with pytest.raises(AssertionError) as caught:
        run_blocks(Page(path, tmp_path, text))
    assert caught.traceback[-1].lineno == 7
