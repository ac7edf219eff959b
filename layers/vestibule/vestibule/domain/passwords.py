"""Passwords: kept as argon2id, and checked in the same time whether there is one or not.

The parameters are stated here and nowhere else.  A hash that was made with other
ones goes on working, and is made anew with today's when its owner comes in.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

PASSES = 3
MEMORY_KIB = 65_536
LANES = 4
"""RFC 9106, section 4, second recommendation: 64 MiB, 3 passes, 4 lanes."""

_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$bm9ib2R5J3MgYXQgaG9tZQ$Fs3fKqC0BxkL8wqVwLr6p2uB0t0yqXo8q0gqQmJvYpI"
"""A hash of no password at all, with the parameters above: what a name without one is checked against."""


def hashed(password: str) -> str:
    """Return a password's argon2id hash with a fresh salt, in its own encoded form."""
    return _hasher().hash(_bytes(password))


def is_right(password: str, stored: str | None) -> bool:
    """Tell whether a password is the one that was hashed.

    Parameters
    ----------
    stored
        The hash; None where there is no password, which takes as long and is never right.
    """
    # Imported with the first password: most calls of most functions bring none.
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

    try:
        _hasher().verify(stored or _NOBODYS, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(stored)


def _bytes(password: str) -> bytes:
    """Return a password's bytes; any text has some, also what only JSON can spell."""
    return password.encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher, Type  # noqa: PLC0415 - see is_right()

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
