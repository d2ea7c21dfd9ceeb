"""The names that we use of ``securesystemslib.signer``.

That package re-exports them without saying so, which strict typing does not follow; so types come
from where they are defined, and at run time everything comes through the public door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from securesystemslib.signer._crypto_signer import CryptoSigner
    from securesystemslib.signer._key import Key, SSlibKey
    from securesystemslib.signer._signature import Signature
    from securesystemslib.signer._signer import SIGNER_FOR_URI_SCHEME, Signer
else:
    from securesystemslib.signer import (
        SIGNER_FOR_URI_SCHEME,
        CryptoSigner,
        Key,
        Signature,
        Signer,
        SSlibKey,
    )

__all__ = ["SIGNER_FOR_URI_SCHEME", "CryptoSigner", "Key", "SSlibKey", "Signature", "Signer"]
