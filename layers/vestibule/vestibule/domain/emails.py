"""E-mail addresses: what is shown, and by what two spellings are known for one person.

`vestibule.domain.rules.email` is a quick look at an address that is only kept; this
is the full reading, for where an address decides who somebody is.  Its package is
imported at the first address, and it asks no name server.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from vestibule.domain import rules
from vestibule.domain.rules import RuleError


@dataclass(frozen=True, slots=True)
class Address:
    """One address.

    Attributes
    ----------
    shown
        As it is kept and written to: the part before the @ in the person's own case.
    key
        What all spellings of the address share: case folded, the domain in ASCII (IDNA).
    """

    shown: str
    key: str


def parse(value: str) -> Address:
    """Read an address.

    Raises
    ------
    RuleError
        It is none.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - see the module's docstring

    clean = rules.text(value, most=254)
    try:
        found = validate_email(clean, check_deliverability=False)
    except EmailNotValidError:
        raise RuleError("invalid_email", "must be an e-mail address.") from None
    local = unicodedata.normalize("NFC", found.local_part.casefold())
    return Address(found.normalized, f"{local}@{found.ascii_domain or found.domain}".lower())


@lru_cache(maxsize=4_096)
def key_of(value: str) -> str | None:
    """Return the key of what may be an address, None when it is none.

    Remembered: a session's lists are read again with every beat of everybody in it.
    """
    try:
        return parse(value).key
    except RuleError:
        return None
