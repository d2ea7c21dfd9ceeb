"""Where everything lies in a repository, for who writes it and for who reads it.

Rules:

1. A repository is plain files: ``metadata/`` (TUF), ``targets/`` (small signed documents) and
   ``blobs/sha256/`` (the bytes of releases, each under its digest, shared by all releases).
2. Names come from people and become parts of paths: letters, digits, ``_`` and ``-``, nothing
   that a shell, a URL or a path pattern could read as anything else.
3. Roles share no path: the director has ``assignments/``, each product ``products/NAME/``, the
   targets role ``policies/``. So no file can be vouched for by two of them.
"""

from __future__ import annotations

import re

from edgeworthy.documents.record import DIGEST_PATTERN
from edgeworthy.errors import InputError

METADATA_FOLDER = "metadata"
TARGETS_FOLDER = "targets"
BLOBS_FOLDER = "blobs/sha256"
STAGED_FOLDER = "staged"

ROOT = "root"
TARGETS = "targets"
SNAPSHOT = "snapshot"
TIMESTAMP = "timestamp"
DIRECTOR = "director"
TOP_LEVEL = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
_PRODUCT_PREFIX = "product-"

#: The moment of signing, a signed field of every role that we write (RFC 3339).
SIGNED_AT_FIELD = "x-edgeworthy-signed-at"
#: Days until each role expires, a signed field of root.
LIFETIMES_FIELD = "x-edgeworthy-lifetime-days"
#: The highest release counter that a product ever had, a signed field of its role.
COUNTER_FIELD = "x-edgeworthy-release-counter"

DIRECTOR_PATHS = ("assignments/*/rings/*", "assignments/*/devices/*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_AUDIENCE = re.compile(r"(rings|devices)/([A-Za-z0-9][A-Za-z0-9_-]{0,63})")


def check_name(name: str, *, what: str) -> str:
    """The name, if it may become part of a path.

    Raises:
        InputError: It breaks rule 2.

    >>> check_name("keywords", what="product")
    'keywords'
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"a {what} that cannot be part of a path",
            expected="at most 64 letters, digits, `_` and `-`, a letter or digit first",
            found=repr(name[:80]),
        )
    return name


def product_role(product: str) -> str:
    """The role whose offline key vouches for a product's releases.

    >>> product_role("keywords")
    'product-keywords'
    """
    return f"{_PRODUCT_PREFIX}{check_name(product, what='product')}"


def product_of(role: str) -> str | None:
    """The product of a role; absent for any other role."""
    return role.removeprefix(_PRODUCT_PREFIX) if role.startswith(_PRODUCT_PREFIX) else None


def product_paths(product: str) -> tuple[str, ...]:
    """What a product's role may vouch for."""
    return (f"products/{check_name(product, what='product')}/*",)


def release_path(product: str, release_counter: int) -> str:
    """Target path of a published release.

    >>> release_path("keywords", 7)
    'products/keywords/7.json'
    """
    return f"products/{check_name(product, what='product')}/{release_counter}.json"


def assignment_path(product: str, audience: str) -> str:
    """Target path of an assignment.

    Args:
        product: Name of the product.
        audience: ``rings/NAME`` or ``devices/NAME``.

    Raises:
        InputError: The audience is neither.

    >>> assignment_path("keywords", "rings/stable")
    'assignments/keywords/rings/stable.json'
    """
    if not _AUDIENCE.fullmatch(audience):
        raise InputError(
            "not an audience", expected="rings/NAME or devices/NAME", found=repr(audience[:80])
        )
    return f"assignments/{check_name(product, what='product')}/{audience}.json"


def policy_path(name: str) -> str:
    """Target path of a device policy.

    >>> policy_path("gateways")
    'policies/gateways.json'
    """
    return f"policies/{check_name(name, what='policy')}.json"


def blob_path(digest: str) -> str:
    """Where a blob lies, in the repository as on the device.

    Raises:
        InputError: The digest is malformed.
    """
    if not DIGEST_PATTERN.fullmatch(digest):
        raise InputError("malformed digest", found=repr(digest[:80]))
    return f"{BLOBS_FOLDER}/{digest.removeprefix('sha256:')}"
