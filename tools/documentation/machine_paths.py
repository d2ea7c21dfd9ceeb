"""No page names a path of the machine that it was written on."""

from __future__ import annotations

import re
from pathlib import Path

from documentation.pages import pages_of

_PRIVATE = re.compile(r"(?<![\w./:~-])/(?:home|root|Users|work|tmp|mnt|opt|private)/[\w.-]+")


def machine_paths(root: Path) -> list[str]:
    """Lines that name one."""
    own = (str(root.resolve()), f"{Path.home()}/")
    failures = []
    for page in pages_of(root):
        for number, line in enumerate(page.text.splitlines(), start=1):
            found = _PRIVATE.search(line)
            named = found[0] if found else next((path for path in own if path in line), "")
            if named:
                failures.append(f"{page.name}:{number}: {named} is a path of some machine")
    return failures
