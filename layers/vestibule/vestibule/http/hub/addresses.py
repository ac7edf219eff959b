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

DASHBOARD = "/dashboard"
LOGIN = "/login"
LOGOUT = "/logout"
SESSION = "/s"
SIGN_IN = "/sign-in"

CARRIED = {"scrollto": "scrollTo", "launch": "launch", "passkey": "passkey"}
"""Parameters that survive every way in, by lower-case name."""

_AUTO = "auto="
_ALIASES = (
    (re.compile(r"/account/autologin/(?:auto=)?([^/]+)"), LOGIN),
    (re.compile(r"/login/([^/]+)"), LOGIN),
    (re.compile(r"/account/logoffandredirect"), LOGOUT),
    (re.compile(r"/logout"), LOGOUT),
    (re.compile(r"/account/login"), SIGN_IN),
    (re.compile(r"/login"), SIGN_IN),
    (re.compile(r"/sign-in"), SIGN_IN),
    (re.compile(r"/providers/dashboard"), DASHBOARD),
    (re.compile(r"/dashboard(?:/p/([^/]+))?"), DASHBOARD),
)


def canonical(path: str, query: Mapping[str, str]) -> str | None:
    """Return the canonical address of a path in whatever spelling, None for no page.

    Parameters
    ----------
    path
        As the browser wrote it, percent-encoded or not, without the query.
    query
        The query's parameters, decoded; all are kept.
    """
    folded = unquote(path).rstrip("/").lower()
    for pattern, target in _ALIASES:
        found = pattern.fullmatch(folded)
        if found is None:
            continue
        kept = dict(query)
        if target == LOGIN:
            return with_query(f"{LOGIN}/{quote(found[1], safe='')}", kept)
        if target == SIGN_IN and (guid := _taken(kept, "auto")):
            return with_query(f"{LOGIN}/{quote(guid, safe='')}", kept)
        if target == DASHBOARD and found.re.groups and found[1]:
            # Whose dashboard was meant: the page compares it with who is signed in.
            kept["user"] = found[1]
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


def carried(query: Mapping[str, str]) -> dict[str, str]:
    """Return what survives every way in, of a request's parameters by lower-case name."""
    return {name: query[folded] for folded, name in CARRIED.items() if folded in query}


def session_page(session_id: str) -> str:
    """Return where a session is waited for and joined, asking to start at once."""
    return with_query(f"{SESSION}/{session_id}", {"launch": "1"})


def with_query(path: str, parameters: Mapping[str, str]) -> str:
    """Return a path with its query, if it has any."""
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _taken(parameters: dict[str, str], folded: str) -> str | None:
    """Remove a parameter, whatever its case, and return its value."""
    name = next((name for name in parameters if name.lower() == folded), None)
    return parameters.pop(name) if name else None
