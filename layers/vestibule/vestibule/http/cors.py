"""Browsers that call the API from a portal's own pages (CORS, as the Fetch standard has it).

An answer may be read by pages of the origins that the caller's account has registered,
and by no others.  A preflight comes without credentials, so what it is told, and what a
refusal of credentials says, is open to the origins of every account: neither holds
anything, and the call itself still has to prove who makes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.http.handler import handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from vestibule.errors import VestibuleError
    from vestibule.http.event import Answer, Event
    from vestibule.http.handler import Handler
    from vestibule.wiring import House

_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}


def headers(house: House, event: Event, account_id: str | None) -> dict[str, str]:
    """Return the headers that let the asking page read an answer, if it may.

    Parameters
    ----------
    account_id
        The caller's account, None while nobody is known.

    Raises
    ------
    UnavailableError
        Nobody can say who may.
    """
    origin = event.headers.get("origin", "")
    if not house.accounts.allows_origin(origin, account_id):
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Retry-After",
    }


def preflights(house: House, refuse: Callable[[Event, VestibuleError], Answer]) -> Handler:
    """Return the handler that answers a browser's question before it calls.

    Parameters
    ----------
    refuse
        Makes the door's answer when nobody can say.
    """

    def serve(event: Event) -> Answer:
        found = headers(house, event, None)
        if "Access-Control-Allow-Origin" in found:
            found |= _ALLOWED
        return {"statusCode": 204, "headers": found, "body": "", "isBase64Encoded": False}

    return handler(serve, refuse)
