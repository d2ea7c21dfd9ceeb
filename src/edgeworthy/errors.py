"""The one error tree. Each class is one decision that a caller can take.

::

    EdgeworthyError              EW000  exit 1
    ├── UsageError               EW100  exit 2    the command or the project file is wrong
    │   ├── ProjectFileError     EW110            edgeworthy.toml: fix the named key
    │   ├── MissingExtraError    EW120            an optional part is not installed
    │   └── RecipeFileError      EW130            a recipe file: fix the named key
    ├── InputError               EW200  exit 1    a file that we were given cannot be used
    │   ├── ModelFileError       EW210            the model: unreadable, unsafe or unsupported
    │   ├── DatasetError         EW220            samples: unreadable, inconsistent, overlapping
    │   ├── DeviceProfileError   EW230            the device profile
    │   └── FormatVersionError   EW240            written by a newer Edgeworthy
    ├── ExecutionError           EW300  exit 1    the work itself failed
    │   ├── InferenceError       EW310            an engine refused or crashed
    │   ├── OptimizationError    EW320            a pass broke its contract
    │   ├── MeasurementError     EW330            a measurement cannot be trusted
    │   └── TransferError        EW340            bytes cannot be fetched now: try again later
    ├── StorageError             EW400  exit 1    disk full, read-only, no permission
    ├── GateRefused              EW500  exit 3    a requirement failed or is inconclusive
    ├── VerificationError        EW600  exit 4    a release is not what was signed
    │   ├── SigningKeyError      EW610            a key cannot be read or does not fit
    │   └── TrustError           EW620            a repository's metadata are not acceptable
    │       └── StaleTrustError  EW630            they were acceptable once, and have expired
    └── Interrupted              EW900  exit 130  Ctrl-C; finished work is kept

Rules:

1. A message says what was expected, what was found, where, and the next step.
2. Codes are stable: a code is never given a second meaning.
3. Errors of other libraries are wrapped where they enter (``raise ... from error``).
"""

from __future__ import annotations

from typing import ClassVar


class EdgeworthyError(Exception):
    """Base of every error that Edgeworthy raises on purpose.

    Args:
        problem: What is wrong, one sentence without a full stop.
        expected: What would have been right.
        found: What was there instead.
        where: File, key or sample that the problem is in.
        next_step: What the reader can do about it.

    >>> print(EdgeworthyError("wrong shape", where="model.onnx", expected="4 axes", found="3"))
    model.onnx: wrong shape. Expected 4 axes, found 3.
    """

    code: ClassVar[str] = "EW000"
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        problem: str,
        *,
        expected: str = "",
        found: str = "",
        where: str = "",
        next_step: str = "",
    ) -> None:
        self.problem = problem
        self.expected = expected
        self.found = found
        self.where = where
        self.next_step = next_step
        super().__init__(self.paragraph())

    def paragraph(self) -> str:
        """The whole message as one paragraph."""
        head = f"{self.where}: {self.problem}" if self.where else self.problem
        parts = [_sentence(head)]
        if self.expected and self.found:
            parts.append(f"Expected {self.expected}, found {self.found}.")
        elif self.expected:
            parts.append(f"Expected {self.expected}.")
        elif self.found:
            parts.append(f"Found {self.found}.")
        if self.next_step:
            parts.append(_sentence(self.next_step))
        return " ".join(parts)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


class UsageError(EdgeworthyError):
    """The command line or the project file asks for something that does not exist."""

    code = "EW100"
    exit_code = 2


class ProjectFileError(UsageError):
    """``edgeworthy.toml`` is missing, malformed or contradicts itself."""

    code = "EW110"


class MissingExtraError(UsageError):
    """An optional part of Edgeworthy is needed and not installed."""

    code = "EW120"


class RecipeFileError(UsageError):
    """A recipe file is missing, malformed or asks for what does not exist."""

    code = "EW130"


class InputError(EdgeworthyError):
    """A file that we were given cannot be used."""

    code = "EW200"


class ModelFileError(InputError):
    """The model cannot be read, is unsafe to read, or is of a kind we do not support."""

    code = "EW210"


class DatasetError(InputError):
    """Samples cannot be read, contradict the model, or overlap with another set."""

    code = "EW220"


class DeviceProfileError(InputError):
    """A device profile is unknown or malformed."""

    code = "EW230"


class FormatVersionError(InputError):
    """A document was written in a newer major version of its format."""

    code = "EW240"


class ExecutionError(EdgeworthyError):
    """Work that should have succeeded did not."""

    code = "EW300"


class InferenceError(ExecutionError):
    """An inference engine refused the model or crashed on it."""

    code = "EW310"


class OptimizationError(ExecutionError):
    """A pass broke its contract: wrong outputs, or an untrue report of what it changed."""

    code = "EW320"


class MeasurementError(ExecutionError):
    """A measurement could not be taken or cannot be trusted."""

    code = "EW330"


class TransferError(ExecutionError):
    """Bytes cannot be fetched now; what was fetched is kept, and trying again later may help."""

    code = "EW340"


class StorageError(EdgeworthyError):
    """The disk is full or read-only, or permission is missing. Nothing was half-written."""

    code = "EW400"


class GateRefused(EdgeworthyError):  # noqa: N818 - a decision, not a malfunction
    """At least one requirement failed or could not be settled."""

    code = "EW500"
    exit_code = 3


class VerificationError(EdgeworthyError):
    """A release is not, byte for byte, what the holder of the key signed."""

    code = "EW600"
    exit_code = 4


class SigningKeyError(VerificationError):
    """A key cannot be read, decrypted or reached, or is not the one that was expected."""

    code = "EW610"


class TrustError(VerificationError):
    """The metadata of a repository are not what the holders of its keys agreed to."""

    code = "EW620"


class StaleTrustError(TrustError):
    """The metadata of a repository have expired: it is not maintained, or held back on the way."""

    code = "EW630"


class Interrupted(EdgeworthyError):  # noqa: N818 - the user's wish, not a malfunction
    """The user pressed Ctrl-C. Finished steps are kept; the next build resumes there."""

    code = "EW900"
    exit_code = 130
