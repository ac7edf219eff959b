"""Whose page it is: the account as a visitor sees it.

A face holds nothing that a page could not safely show.  Colours are
``#rrggbb``, links are ``http(s)`` addresses or paths on the hub's own host, and
logos are ``https`` images; anything else is refused when the face is made, so
neither a style sheet nor an address on a page can carry somebody else's code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import urlsplit

from vestibule.domain.colors import ROLES, check_color
from vestibule.model import Account

_NO_COLORS: Mapping[str, str] = MappingProxyType({})
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")
_RUN_BY_BROWSERS = frozenset({"about", "blob", "data", "file", "javascript", "vbscript", "view-source"})
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


def origin_of(url: str) -> str:
    """Return the origin of an absolute address, as a browser would write it.

    Parameters
    ----------
    url
        An ``http`` or ``https`` address with an ASCII host and no credentials.

    Raises
    ------
    ValueError
        When the address is none of that.  What is returned can stand in a
        security header as it is: it holds no blank, quote, comma or semicolon.
    """
    # A backslash is a slash to browsers and none to Python; control characters are dropped by both.
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise ValueError("an address holds no blanks, control characters or backslashes")
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in {"http", "https"} or not host or not _HOST_CHARACTERS.issuperset(host):
        raise ValueError("an address starts with https:// and an ASCII host name")
    if "@" in parts.netloc:
        raise ValueError("an address holds no credentials")
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def check_link(url: str) -> str:
    """Return a link that a page may show: a path on the hub's host or an ``http(s)`` address.

    Raises
    ------
    ValueError
        For every other scheme, for ``//host`` and for whatever a browser would
        read differently from us.
    """
    if url.startswith("/"):
        if url.startswith("//") or any(c <= " " or c in "\\\x7f" for c in url):
            raise ValueError("a path starts with one slash and holds no blanks or backslashes")
        return url
    origin_of(url)
    return url


def check_stage_link(url: str) -> str:
    """Return an address that a click may open: a link, or one of an application's own scheme.

    Raises
    ------
    ValueError
        For everything that `check_link` refuses, but for schemes that are an application's:
        which these are, `vestibule.domain.stages` has judged when the stage was set.
    """
    scheme = url.partition(":")[0].lower()
    if not _SCHEME.fullmatch(scheme) or scheme in {"http", "https"} or scheme in _RUN_BY_BROWSERS:
        return check_link(url)
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise ValueError("an address holds no blanks, control characters or backslashes")
    return url


def link_or_none(url: str | None) -> str | None:
    """Return a link if a page may show it; for the last page of all, which must not fail."""
    try:
        return url and check_link(url)
    except ValueError:
        return None


def check_logo(url: str) -> str:
    """Return a logo's address: ``https``, or ``http`` on this machine while developing.

    Raises
    ------
    ValueError
        For anything else, data addresses included.
    """
    scheme, _, host = origin_of(url).partition("://")
    name = host.partition(":")[0]
    if scheme != "https" and name not in {"localhost", "127.0.0.1"} and not name.endswith(".localhost"):
        raise ValueError("a logo is an https image")
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFace:
    """An account as its visitors see it.

    Attributes
    ----------
    name
        What the account calls itself.
    logo_url
        An image; shown 40 px high.
    colors
        ``accent`` for buttons and links, ``header`` for the band at the top
        (without it, the band has the page's own colour); both ``#rrggbb``.
    navigation
        Label and address of each link beside the logo.
    portal_url
        Where a lost visitor goes back to.
    has_dashboard
        Whether the dashboard may be offered: it shows more than the session that a link names.

    Raises
    ------
    ValueError
        When a colour, a link or the logo cannot be shown safely.
    """

    name: str
    logo_url: str | None = None
    colors: Mapping[str, str] = field(default=_NO_COLORS)
    navigation: tuple[tuple[str, str], ...] = ()
    portal_url: str | None = None
    has_dashboard: bool = True

    def __post_init__(self) -> None:
        """Refuse what must not be on a page."""
        for role, color in self.colors.items():
            if role not in ROLES:
                raise ValueError(f"there is no colour {role!r}; known are {', '.join(ROLES)}")
            check_color(color)
        for _label, url in self.navigation:
            check_link(url)
        if self.logo_url is not None:
            check_logo(self.logo_url)
        if self.portal_url is not None:
            check_link(self.portal_url)


NO_ACCOUNT = AccountFace(name="Vestibule")
"""The face of a host that belongs to nobody."""


def face_of(account: Account) -> AccountFace:
    """Return the face of an account.

    Raises
    ------
    ValueError
        See `AccountFace`; call this before an account is written.
    """
    return AccountFace(
        name=account.name,
        logo_url=account.logo_url,
        colors=account.colors,
        navigation=tuple((link.label, link.url) for link in account.navigation),
        portal_url=account.portal_url,
        has_dashboard=not account.launch_panel_only,
    )


@lru_cache(maxsize=256)
def initials(name: str) -> str:
    """Return one or two capital letters that stand for a name.

    Parameters
    ----------
    name
        A person's or an account's name in any script.

    Returns
    -------
    str
        First letters of the first and the last word; ``"·"`` for a name without letters.

    Examples
    --------
    >>> initials("Maria del Carmen Ruiz"), initials("Prince"), initials("  ")
    ('MR', 'P', '·')
    """
    letters = [
        next(character for character in word if character.isalnum())
        for word in name.split()
        if any(character.isalnum() for character in word)
    ]
    # One capital each: upper() turns some letters into two ("ß" into "SS").
    chosen = [letters[0], letters[-1]] if len(letters) > 1 else letters
    return "".join(letter.upper()[:1] for letter in chosen) or "·"
