"""Addresses of the hub: its own paths, and the vendors' spellings of them.

Vendors' paths match without regard to case, which API Gateway cannot do; what
its routes miss, the doorway sends on to the canonical path found here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.model import Room

AUTH = "/auth"
CHECK = "/check"
DASHBOARD = "/dashboard"
EMBED = "/embed"
JOIN = "/join"
LOGIN = "/login"
LOGOUT = "/logout"
PLAN = "/plan"
MAILED_LINK = "/sign-in/link"
MAILED_PASSWORD = "/sign-in/password"  # noqa: S105 - a path, not a password
ROOM = "/u"
ROOMS = "/dashboard/rooms"
SESSION = "/s"
SIGN_IN = "/sign-in"

CARRIED = {"scrollto": "scrollTo", "launch": "launch", "passkey": "passkey"}
"""Parameters that survive every way in, by lower-case name."""

_AUTO = "auto="
_ALIASES = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), target)
    for pattern, target in (
        (r"/auth", AUTH),
        (r"/account/autologin/(?:auto=)?([^/]+)", LOGIN),
        (r"/login/([^/]+)", LOGIN),
        (r"/account/logoffandredirect", LOGOUT),
        (r"/logout", LOGOUT),
        (r"/account/login", SIGN_IN),
        (r"/login", SIGN_IN),
        (r"/sign-in", SIGN_IN),
        (r"/providers/dashboard", DASHBOARD),
        (r"/dashboard/rooms", ROOMS),
        (r"/dashboard(?:/p/([^/]+))?", DASHBOARD),
        (r"/pass/join(?:/([^/]+))?", JOIN),
        (r"/join(?:/([^/]+))?", JOIN),
        (r"/s/([^/]+)", SESSION),
        (r"/(?:embed|event)/([^/]+)", EMBED),
        (r"/u/([^/]+)", ROOM),
        (r"/check", CHECK),
        (r"/plan(?:/([0-9]+(?:/(?:change|cancel|add|participants/[0-9]+/(?:change|remove|remind|rotate)))?))?", PLAN),
    )
)
_PORTAL_BASE = re.compile(r"/vc/(?:next|stable)(?=/|$)", re.IGNORECASE | re.ASCII)
"""What VSee's portals put before every path of theirs."""
_CASE_COUNTS = re.compile(r"/([pr]/[^/]+|go/[^/]+/[^/]+)")
"""Paths whose segments are compared to the letter."""


def canonical(path: str, query: Mapping[str, str]) -> str | None:
    """Return the canonical address of a path in whatever spelling, None for no page.

    Parameters
    ----------
    path
        As the browser wrote it, percent-encoded or not, without the query.
    query
        The query's parameters, decoded; all are kept.
    """
    plain = _PORTAL_BASE.sub("", unquote(path), count=1).rstrip("/")
    if _CASE_COUNTS.fullmatch(plain):
        return with_query(quote(plain), query)
    for pattern, target in _ALIASES:
        found = pattern.fullmatch(plain)
        if found is None:
            continue
        kept = dict(query)
        if target == LOGIN:
            return with_query(f"{LOGIN}/{quote(found[1].lower(), safe='')}", kept)
        if target in {EMBED, JOIN, PLAN, ROOM, SESSION} and found[1]:
            rest = quote(found[1].lower()) if target == PLAN else quote(found[1], safe="")
            return with_query(f"{target}/{rest}", kept)
        if target == SIGN_IN and (guid := _taken(kept, "auto")):
            return with_query(f"{LOGIN}/{quote(guid, safe='')}", kept)
        if target == DASHBOARD and found.re.groups and found[1]:
            # Whose dashboard was meant: the page compares it with who is signed in.
            kept["user"] = found[1].lower()
        return with_query(target, kept)
    return None


def guid_in(segment: str) -> str:
    """Return the GUID in a login path's last segment, with or without ``auto=``."""
    folded = segment.lower()
    return folded.removeprefix(_AUTO)


def landing(next_path: str | None, query: Mapping[str, str]) -> str:
    """Return where a login leads: its own next path or the dashboard, with what is carried.

    Parameters
    ----------
    next_path
        Hub path that the portal asked for; one without a page means the dashboard.
    query
        The arriving request's parameters, by lower-case name.
    """
    path, _, own = (next_path or DASHBOARD).partition("?")
    parameters = dict(parse_qsl(own, keep_blank_values=True)) | carried(query)
    return canonical(path, parameters) or with_query(DASHBOARD, parameters)


def session_path(session_id: str) -> str:
    """Return the page of one session, which holds nothing that lets anybody in."""
    return f"{SESSION}/{quote(session_id, safe='')}"


def plan_of(session_id: str, *further: str) -> str:
    """Return where the host of a session manages it, or does one thing with it."""
    return "/".join((PLAN, *(quote(part, safe="") for part in (session_id, *further))))


def embed_path(session_id: str) -> str:
    """Return the page of one session that a portal frames."""
    return f"{EMBED}/{quote(session_id, safe='')}"


def register_path(session_id: str) -> str:
    """Return the page on which people register for one session."""
    return f"{session_path(session_id)}/register"


def session_page(session_id: str) -> str:
    """Return where a session is waited for and joined, asking to start at once."""
    return with_query(session_path(session_id), {"launch": "1"})


def room_door(room: Room, hub_host: str, **parameters: str) -> str:
    """Return the path of a room's door, which names the room's domain where that is not the hub's own host."""
    domain = {} if room.domain == hub_host else {"domain": room.domain}
    return with_query(f"{ROOM}/{quote(room.slug, safe='')}", domain | parameters)


def carried(query: Mapping[str, str]) -> dict[str, str]:
    """Return what survives every way in, of a request's parameters by lower-case name."""
    return {name: query[folded] for folded, name in CARRIED.items() if folded in query}


def with_query(path: str, parameters: Mapping[str, str]) -> str:
    """Return a path with its query, if it has any."""
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _taken(parameters: dict[str, str], folded: str) -> str | None:
    """Remove a parameter, whatever its case, and return its value."""
    name = next((name for name in parameters if name.lower() == folded), None)
    return parameters.pop(name) if name else None
