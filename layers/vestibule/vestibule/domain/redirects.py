"""Where a browser may be sent: the account's own addresses, and paths of the hub.

An entry of the account's list is an origin, which allows every address of it,
or an origin with a path, which allows that path and everything below it.  The
comparison is of parsed parts, never of prefixes of text, and an address that a
browser might read differently than we do is refused (OWASP ASVS 5.0, 3.7.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from vestibule.domain.rules import URL_LENGTH, RuleError, web_address

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEFAULT_PORTS = {"https": 443, "http": 80}


def is_allowed(target: str, entries: Iterable[str]) -> bool:
    """Tell whether a browser may be sent to an absolute address.

    Parameters
    ----------
    target
        The address as somebody gave it.
    entries
        The account's ``redirect_uris``.
    """
    try:
        wanted = urlsplit(web_address(target))
    except RuleError:
        return False
    if _climbs(wanted.path):
        return False
    return any(_covers(urlsplit(entry), wanted) for entry in entries)


def allowed_target(target: str, entries: Iterable[str]) -> str:
    """Return the target, as a rule for `vestibule.domain.rules.Checks`.

    Raises
    ------
    RuleError
        The account's list does not cover it.
    """
    if not is_allowed(target, entries):
        raise RuleError("redirect_not_allowed", "must be an address that the account's redirect_uris cover.")
    return target


def hub_path(value: str) -> str:
    """Return a same-origin path with its query, as a rule.

    Raises
    ------
    RuleError
        The text could leave the hub's origin in some browser: it does not begin
        with exactly one slash, or holds a backslash, a control character, a
        second slash or a backslash behind percent-encoding, or a dot segment.
    """
    path, _, _ = value.partition("?")
    decoded = unquote(unquote(path))
    is_plain = (
        len(value) <= URL_LENGTH and all("!" <= c <= "~" for c in value) and "\\" not in value and "#" not in value
    )
    stays = (
        decoded.startswith("/")
        and path.startswith("/")
        and "//" not in decoded
        and "\\" not in decoded
        and all("!" <= c <= "~" or c == " " or c > "\x9f" for c in decoded)
        and not _climbs(path)
    )
    if not (is_plain and stays):
        raise RuleError("invalid_path", "must be a path of the hub, beginning with one slash.")
    return value


def _climbs(path: str) -> bool:
    """Tell whether a path holds dot segments, plain or percent-encoded."""
    return any(segment in (".", "..") for segment in unquote(unquote(path)).split("/"))


def _covers(entry: SplitResult, wanted: SplitResult) -> bool:
    if _origin(entry) != _origin(wanted):
        return False
    base = entry.path.rstrip("/")
    return not base or wanted.path == base or wanted.path.startswith(f"{base}/")


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    port = _DEFAULT_PORTS.get(parts.scheme) if parts.port is None else parts.port
    return parts.scheme, parts.hostname, port
