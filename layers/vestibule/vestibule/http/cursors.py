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


type Position = tuple[int, str]
"""Where a page ended: a list's shard, and the sort key in it."""


def encode(position: Position, *binding: str) -> str:
    """Return a cursor.

    Parameters
    ----------
    binding
        The client and the list that the cursor is good for.
    """
    document = json.dumps([_digest(binding), position], separators=(",", ":"))
    return urlsafe_b64encode(document.encode()).rstrip(b"=").decode()


def decode(cursor: str, *binding: str) -> Position:
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
    if bound != _digest(binding) or not _is_position(position):
        raise InvalidError(FieldError("cursor", "invalid_cursor", "cursor: is not one that this list gave out."))
    shard, sort = position
    return shard, sort


def _is_position(found: Any) -> bool:
    """Tell whether a position, which anybody can make up, has the form of one."""
    match found:
        case [int(shard), str(sort)]:
            return shard >= 0 and bool(sort) and sort.isascii()
    return False


def _digest(binding: tuple[str, ...]) -> str:
    return ids.digest("\0".join(binding))[:_BINDING_LENGTH]
