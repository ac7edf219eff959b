"""Cursors: where a list goes on, opaque to the caller and bound to who asked for what.

The binding is a digest, not a seal: what a cursor points to is looked up inside
the caller's account in any case, so a forged one finds nothing that is not theirs.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from vestibule import ids
from vestibule.errors import FieldError, InvalidError

_BINDING_LENGTH = 16
_LONGEST = 1_024


def encode(position: Any, *binding: str) -> str:
    """Return a cursor.

    Parameters
    ----------
    position
        Anything JSON holds.
    binding
        The client and the list that the cursor is good for.
    """
    document = json.dumps([_digest(binding), position], separators=(",", ":"))
    return urlsafe_b64encode(document.encode()).rstrip(b"=").decode()


def decode(cursor: str, *binding: str) -> Any:
    """Return the position that `encode` was given.

    Raises
    ------
    InvalidError
        The cursor is not one of ours, or belongs to another client or list.
    """
    try:
        bound, position = json.loads(urlsafe_b64decode(cursor[:_LONGEST] + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        bound, position = None, None
    if bound != _digest(binding):
        raise InvalidError(FieldError("cursor", "invalid_cursor", "cursor: is not one that this list gave out."))
    return position


def _digest(binding: tuple[str, ...]) -> str:
    return ids.digest("\0".join(binding))[:_BINDING_LENGTH]
