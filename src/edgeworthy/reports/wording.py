"""How names and sentences are written, everywhere in a report.

Rules:

1. Text from outside loses its line breaks and all characters that XML cannot hold.
2. A long label is cut in the middle, where names differ least.
3. A metric is called as people call it; the name in the project file stays in the files for
   programs.
"""

from __future__ import annotations

import re

# Control characters, halves of surrogate pairs, noncharacters, and the marks that turn the
# direction of text around and so can make it read as something else.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_LATENCY = re.compile(r"^latency_p(\d+(?:_\d+)?)_ms$")
_RFC_3339 = re.compile(r"^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|z|\+00:00)$")
_TITLES = {
    "agreement": "agreement with the original",
    "auroc": "area under the ROC curve",
    "corruption_accuracy": "accuracy under corruption",
    "corruption_auroc": "area under the ROC curve, under corruption",
    "corruption_image_f1": "F1 of an image's boxes under corruption",
    "corruption_image_overlap": "overlap in an image under corruption",
    "corruption_mean_absolute_error": "mean absolute error under corruption",
    "image_f1": "F1 of an image's boxes",
    "image_overlap": "overlap in an image",
    "macro_f1": "macro F1",
    "mean_deviation": "mean deviation from the original",
    "negative_flip_ratio": "negative flips",
    "partial_auroc": "partial area under the ROC curve",
    "positive_flip_ratio": "positive flips",
    "r_squared": "R\N{SUPERSCRIPT TWO}",
    "scan_findings": "findings of the file scan",
    "size_kib": "file size",
    "top_5_accuracy": "top-5 accuracy",
}
_UNIT_ENDINGS = ("_ms", "_kib", "_mib", "_ratio")


def printable(text: str) -> str:
    r"""Text without what neither XML nor a reader can take; each becomes a space.

    >>> printable("a\x00b\u202ec")
    'a b c'
    """
    return _UNPRINTABLE.sub(" ", text)


def plain(text: str) -> str:
    r"""Printable text on one line.

    >>> plain("a\x00b\nc ")
    'a b c'
    """
    return " ".join(printable(text).split())


def shortened(text: str, most: int) -> str:
    """At most ``most`` characters, cut in the middle.

    >>> shortened("raspberry-pi-4-model-b", 11)
    'raspb…del-b'
    """
    text = plain(text)
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head]}{ELLIPSIS}{text[len(text) - (most - head - 1) :]}"


def date_text(moment: str) -> str:
    """A date and time for people.

    >>> date_text("2026-03-01T09:30:00Z")
    '2026-03-01 09:30 UTC'
    """
    found = _RFC_3339.match(moment)
    return f"{found[1]} {found[2]} UTC" if found else plain(moment)


def metric_title(metric: str) -> str:
    """A metric's name for people.

    >>> metric_title("latency_p90_ms"), metric_title("peak_memory_mib")
    ('p90 latency', 'peak memory')
    >>> metric_title("word_error_ratio")
    'word error'
    """
    latency = _LATENCY.match(metric)
    if latency:
        return f"p{latency[1].replace('_', '.')} latency"
    if metric in _TITLES:
        return _TITLES[metric]
    name = plain(metric)
    for ending in _UNIT_ENDINGS:
        name = name.removesuffix(ending)
    return name.replace("_", " ")


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "target"), plural(2_000, "sample")
    ('1 target', '2,000 samples')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def capitalized(text: str) -> str:
    """Text with a capital first letter and the rest as it is.

    >>> capitalized("mean absolute error of RPi")
    'Mean absolute error of RPi'
    """
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Text with a full stop, and a capital letter unless it begins with an identifier.

    >>> sentence("the fastest that passes"), sentence("int8-u8s8 is not met")
    ('The fastest that passes.', 'int8-u8s8 is not met.')
    """
    text = plain(text)
    if not text:
        return ""
    text = capitalized(text) if text.partition(" ")[0].rstrip(".,:;!?").isalpha() else text
    return text if text.endswith((".", "!", "?", ELLIPSIS)) else f"{text}."
