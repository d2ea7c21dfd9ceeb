"""When evidence stops counting.

Rules:

1. A date is RFC 3339 with its offset from UTC; a date without one says nothing.
2. Evidence counts before its date and no longer at it.
"""

from __future__ import annotations

from datetime import datetime

from edgeworthy.documents.evaluation import Evaluation
from edgeworthy.documents.measurement import Measurement
from edgeworthy.errors import InputError


def expiry_of(document: Measurement | Evaluation) -> datetime:
    """The moment from which a document no longer counts.

    Raises:
        InputError: The date is malformed or has no offset.
    """
    return parse_date(document.expires_at)


def parse_date(text: str) -> datetime:
    """Read an RFC 3339 date.

    Raises:
        InputError: It is malformed or has no offset.

    >>> parse_date("2026-01-02T03:04:05Z").isoformat()
    '2026-01-02T03:04:05+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"malformed date: {error}") from error
    if moment.tzinfo is None:
        raise InputError("a date without its offset from UTC", found=text[:80])
    return moment
