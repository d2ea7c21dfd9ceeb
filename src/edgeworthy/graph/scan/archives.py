"""What a zip archive holds, from its table of contents; nothing is unpacked.

Rules:

1. The table of contents names what is inside: PyTorch, TorchScript and Keras archives hold pickles,
   code or layers that run when they are loaded.
2. An archive that says it unfolds to a thousand times its size, or to over 16 GiB, is a bomb.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

_MOST_ENTRIES = 100_000
_MOST_BYTES = 16 << 30
_MOST_RATIO = 1000
_PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")


def look_into(path: Path) -> tuple[str, ...]:
    """Sentences about an archive; one at least, for no zip archive is a model that we take."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        return (f"A zip archive whose table of contents cannot be read: {error}.",)
    names = [entry.filename for entry in entries[:_MOST_ENTRIES]]
    found = []
    if any("/code/" in f"/{name}" and name.endswith(".py") for name in names):
        found.append("A TorchScript archive: it holds code that runs when it is loaded.")
    if any(name.endswith(_PICKLES) for name in names):
        found.append("It holds pickles, which can run any program when they are loaded.")
    if "config.json" in names and any(name.endswith(".h5") for name in names):
        found.append("A Keras archive: Lambda layers in it hold code.")
    unfolded = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries) or 1
    if unfolded > _MOST_BYTES or unfolded > _MOST_RATIO * packed or len(entries) > _MOST_ENTRIES:
        found.append(f"{packed} bytes in {len(entries)} files unfold to {unfolded}: a zip bomb.")
    return tuple(found) or ("A zip archive, which is no model file.",)
