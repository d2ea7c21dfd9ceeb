"""Folders of images by class.

Rules:

1. A sample is what a person would see: EXIF orientation applied, palettes resolved,
   transparency dropped; ``(height, width, 1)`` for grey, ``(height, width, 3)`` for color.
2. A truncated or damaged image is an error that names the file; it is never patched up.
3. An image that would unfold to more than 89 million pixels is refused before it is decoded.
4. Only the decoders of common formats are tried, so that a renamed file starts no other one.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from edgeworthy.datasets.class_folder import ClassFolderDataset
from edgeworthy.documents.encoded import EncodedImage, EncodedSample
from edgeworthy.errors import DatasetError

#: Decoders that are tried.
DECODERS = ("PNG", "JPEG", "BMP", "PPM", "TIFF", "WEBP")

#: Modes that hold one channel of more than 8 bits, and the dtype of their values.
_DEEP_MODES = {"I;16": np.uint16, "I;16L": np.uint16, "I;16B": np.uint16, "I": np.int32}


class ImageFolderDataset(ClassFolderDataset):
    """Images in one sub-folder per class."""

    data_format = "image-folder"
    axes = "HWC"
    suffixes: ClassVar[frozenset[str]] = frozenset(
        (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".tif", ".tiff", ".webp")
    )

    def decode(self, path: Path) -> NDArray[Any]:
        """The pixels of one image: ``(height, width, 1 or 3)``."""
        with path.open("rb") as stream:
            return decode_image(stream, where=str(path))

    def encode(self, path: Path) -> EncodedSample:
        """The bytes of one image."""
        return EncodedImage(data=path.read_bytes())


def decode_image(stream: IO[bytes], *, where: str) -> NDArray[Any]:
    """The pixels of one image: ``(height, width, 1 or 3)``.

    Args:
        stream: The file's bytes.
        where: What they came from, for the error message.

    Raises:
        DatasetError: It is damaged, or absurdly large.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(stream, formats=DECODERS) as image:
                return _pixels(ImageOps.exif_transpose(image))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise DatasetError(
                "the image is absurdly large; it was not decoded",
                expected=f"at most {Image.MAX_IMAGE_PIXELS} pixels",
                where=where,
                next_step="Scale it down, or remove it",
            ) from error
        except Exception as error:  # decoders raise anything on damaged files
            raise DatasetError(
                f"the image is damaged: {error}",
                where=where,
                next_step="Replace the file, or remove it",
            ) from error


def _pixels(image: Image.Image) -> NDArray[Any]:
    if image.mode in _DEEP_MODES:
        return np.asarray(image).astype(_DEEP_MODES[image.mode])[:, :, np.newaxis]
    if image.mode == "F":
        return np.asarray(image, dtype=np.float32)[:, :, np.newaxis]
    if image.mode in ("1", "L", "LA"):
        return np.asarray(image.convert("L"))[:, :, np.newaxis]
    return np.asarray(image.convert("RGB"))
