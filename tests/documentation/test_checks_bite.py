"""Each check of the pages fails when a page is deliberately broken, and names the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from documentation import CHECKS
from documentation.commands import wrong_commands
from documentation.links import broken_links, missing_pages, unlisted_pages
from documentation.machine_paths import machine_paths
from documentation.mentions import missing_mentions
from documentation.toml_blocks import wrong_toml

Edit: TypeAlias = Callable[[str, str, str], Path]


def added(root: Path, text: str) -> Path:
    """One more page in the copy, with that text."""
    (root / "docs" / "guides" / "extra.md").write_text(text, encoding="utf-8")
    return root


def test_the_copy_passes_before_it_is_broken(copied: Path) -> None:
    failures = {name: check(copied) for name, check in CHECKS.items()}
    assert not any(failures.values()), failures


def test_a_link_to_nowhere(edit: Edit) -> None:
    failures = broken_links(edit("docs/index.md", "(guides/ci.md)", "(guides/ci-systems.md)"))
    assert len(failures) == 1
    assert failures[0].startswith("docs/index.md:")
    assert failures[0].endswith("the link to guides/ci-systems.md leads nowhere")


def test_a_link_to_a_heading_that_was_renamed(edit: Edit) -> None:
    failures = broken_links(edit("docs/reference/project-file.md", "## `[release]`", "## Signing"))
    assert any("there is no heading for" in each and "#release" in each for each in failures)


def test_a_link_in_code_is_no_link(copied: Path) -> None:
    assert broken_links(added(copied, "`[a](b.md)`\n\n```text\n[a](b.md)\n```\n")) == []


def test_a_picture_that_is_gone(copied: Path) -> None:
    (copied / "docs" / "pictures" / "overview.svg").unlink()
    assert any("overview.svg leads nowhere" in each for each in broken_links(copied))


def test_a_page_that_the_map_does_not_show(copied: Path) -> None:
    failures = unlisted_pages(added(copied, "# Alone\n"))
    assert failures == ["docs/guides/extra.md: docs/index.md does not lead to it"]


def test_a_map_that_is_gone(copied: Path) -> None:
    (copied / "docs" / "index.md").unlink()
    assert unlisted_pages(copied) == ["docs/index.md is missing"]


def test_an_error_message_that_names_a_page_that_is_not_there(copied: Path) -> None:
    (copied / "src").unlink()
    (copied / "src").mkdir()
    (copied / "src" / "module.py").write_text('"""See docs/concepts/tanks.md."""\n')
    assert missing_pages(copied) == ["src/module.py:1: docs/concepts/tanks.md does not exist"]


@pytest.mark.parametrize(
    ("kind", "name", "page"),
    [
        ("verb", "edgeworthy keys create", None),
        ("option", "--generate-passphrase", None),
        ("error code", "EW330", "docs/reference/errors.md"),
        ("document", "release-index", None),
        ("template", "wearable", None),
        ("device profile", "jetson-orin-nano", None),
        ("metric", "partial_auroc", None),
        ("public name", "verify_folder", "docs/guides/python.md"),
        ("key", "golden_count", "docs/reference/project-file.md"),
    ],
)
def test_a_name_that_nobody_explains(kind: str, name: str, page: str | None, copied: Path) -> None:
    for path in copied.rglob("*.md") if page is None else [copied / page]:
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(name, "something"), encoding="utf-8")
    (copied / "src").unlink()
    (copied / "src").mkdir()
    missing = missing_mentions(copied)
    assert any(f"the {kind} `{name}` is not mentioned" in each for each in missing), missing


def test_a_verb_that_only_the_generated_page_shows(copied: Path) -> None:
    for path in copied.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        if path.name != "cli.md":
            path.write_text(text.replace("edgeworthy optimize", "it"), encoding="utf-8")
    expected = "README.md and the guides: the verb `edgeworthy optimize` is not mentioned"
    assert expected in missing_mentions(copied)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("```bash\nedgeworthy bake\n```\n", "there is no verb `bake`"),
        ("```bash\nedgeworthy build --fast\n```\n", "has no option `--fast`"),
        ("```bash\nedgeworthy build \\\n  --fast\n```\n", "has no option `--fast`"),
        ("```console\n$ edgeworthy gate --explian | less\n```\n", "has no option `--explian`"),
        ("```yaml\n- run: edgeworthy gate --xml=a\n```\n", "has no option `--xml`"),
        ("```bash\nedgeworthy verify a b --key c\n```\n", "takes 1 arguments, not 2"),
        ("Say `edgeworthy keys delete`.\n", "there is no verb `keys`"),
        ("Say `edgeworthy build 'x`.\n", "takes 0 arguments, not 1"),
    ],
)
def test_a_command_that_does_not_exist(text: str, problem: str, copied: Path) -> None:
    failures = wrong_commands(added(copied, text))
    assert len(failures) == 1
    assert failures[0].startswith("docs/guides/extra.md:")
    assert problem in failures[0]


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ edgeworthy build -p a\nedgeworthy prints nonsense --like this\n```\n",
        "```bash\nedgeworthy --debug build --project a && edgeworthy verify a --key b > c\n```\n",
        "```python\nedgeworthy nonsense\n```\n",
        "`edgeworthy keys`, `edgeworthy --version`, `edgeworthy build --help`\n",
    ],
)
def test_a_command_that_does(text: str, copied: Path) -> None:
    assert wrong_commands(added(copied, text)) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("not = = toml\n", "not TOML"),
        ("[project]\nname = 'a'\n[model]\npath = 'm.onnx'\n", "missing required field"),
        ("[targets.a]\nthreads = 0\n", ">= 1"),
        ("[measure]\nqueries = 40\n", "unknown field `queries`"),
        ("[[require]]\nmetric = 'acuracy'\nat_least = 0.9\n", "unknown metric `acuracy`"),
        ("[[require]]\nmetric = 'accuracy'\n", "exactly one bound"),
    ],
)
def test_an_example_that_is_no_project(text: str, problem: str, copied: Path) -> None:
    failures = wrong_toml(added(copied, f"# Extra\n\n```toml\n{text}```\n"))
    assert len(failures) == 1
    assert failures[0].startswith("docs/guides/extra.md:4:")
    assert problem in failures[0]


def test_a_whole_project_with_a_misspelt_key(edit: Edit) -> None:
    root = edit("docs/reference/project-file.md", "golden_count = 32", "golden_cuont = 32")
    failures = wrong_toml(root)
    assert any("Did you mean `golden_count`" in each for each in failures), failures
    assert not any("/tmp" in each for each in failures)  # noqa: S108 - no file is made


def test_an_example_may_leave_out_what_is_required(copied: Path) -> None:
    text = "```toml\n[model]\ntask = 'anomaly'\n\n[model.inputs.x]\npin = { time = 5 }\n```\n"
    assert wrong_toml(added(copied, text)) == []


@pytest.mark.parametrize("path", ["home/ada/models", "root/x", "Users/ada", "work/main"])
def test_a_path_of_somebody_s_machine(path: str, copied: Path) -> None:
    failures = machine_paths(added(copied, f"first line\nsee /{path}/file.txt\n"))
    assert len(failures) == 1
    assert failures[0].startswith(f"docs/guides/extra.md:2: /{path[:4]}")


def test_paths_that_are_everybody_s(copied: Path) -> None:
    text = "`/proc/cpuinfo`, `docs/home/x`, <https://example.org/home/x> and `./work/x`\n"
    assert machine_paths(added(copied, text)) == []
