"""What every dialect's front door does alike: find the route, judge the caller, answer anyhow.

Paths match without regard to case, and a run of slashes is as good as one: a base
address that ends in a slash makes a client write two.  A dialect says how its routes,
refusals and headers look; nothing here knows a vendor.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from vestibule.domain import scopes
from vestibule.errors import NotFoundError, TooManyError, UnavailableError, VestibuleError
from vestibule.http import logs
from vestibule.http.handler import handler
from vestibule.http.problems import RETRY_AFTER, RequestError, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vestibule.domain.clients import Caller
    from vestibule.http.event import Answer, Event
    from vestibule.http.handler import Handler
    from vestibule.wiring import House

    type Refuse = Callable[[Event, int, VestibuleError], Answer]

BODY_LIMIT = 1_024 * 1_024
"""Bytes."""
ANSWER_LIMIT = 5_000_000
"""Bytes: Lambda hands on 6 MB, in which every quotation mark of a body counts twice."""

_SLASHES = re.compile("/{2,}")


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call of a dialect.

    Attributes
    ----------
    values
        The path's variables, percent-decoded, in their own case; "" for one that the path does not have.
    """

    event: Event
    caller: Caller
    house: House
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern with named groups, matched without regard to case.

    Attributes
    ----------
    scope
        What the caller must have been granted, as for the native API's same call; "" for nothing.
    """

    method: str
    pattern: str
    scope: str
    serve: Callable[[Call], Answer]


def by_authorization(house: House, event: Event) -> Caller:
    """Return who calls by the Authorization header, Basic or Bearer."""
    return house.credentials.caller(event.headers.get("authorization"))


def path_of(event: Event) -> str:
    """Return a request's path with single slashes, and none at its end."""
    return _SLASHES.sub("/", event.path).rstrip("/") or "/"


def not_offered(_: Call) -> Answer:
    """Refuse what a vendor documents and this service does not do.

    Raises
    ------
    RequestError
        Always, with 501.
    """
    raise RequestError(501, "not_offered", "This call of the vendor's API is not offered here.")


def too_much() -> RequestError:
    """Return the refusal of what no one answer could hold."""
    return RequestError(501, "not_offered", "That is more than one answer holds; the native API has it in pages.")


def _no_headers(_: House, __: Event, ___: str | None) -> dict[str, str]:
    return {}


def front_door(
    house: House,
    *,
    base_path: str,
    routes: Sequence[Route],
    refuse: Refuse,
    identify: Callable[[House, Event], Caller] = by_authorization,
    headers: Callable[[House, Event, str | None], Mapping[str, str]] = _no_headers,
) -> Handler:
    """Return the handler of a dialect.

    Parameters
    ----------
    base_path
        Where it is mapped, such as ``/securevideo``; AWS leaves it in the path,
        the emulator does not.
    refuse
        Makes the vendor's answer from the request, a status and a refusal.
    identify
        Says who calls, before anything but the body's size is looked at; raises
        `UnauthenticatedError`.
    headers
        Gives every answer's further headers, from the request and the caller's account
        (None while nobody is known).  It is asked before anything is done: what it
        cannot find out refuses the call.
    """
    compiled = [(route, re.compile(route.pattern, re.IGNORECASE)) for route in routes]

    def serve(event: Event, caller: Caller) -> Answer:
        route, values = _find(compiled, event.method, _below(base_path, path_of(event)))
        if route.scope:
            scopes.require(route.scope, caller.scopes)
        found = route.serve(Call(event, caller, house, values))
        if len(found["body"].encode()) > ANSWER_LIMIT:
            raise too_much()
        return found

    def answer(event: Event) -> Answer:
        if len(event.body) > BODY_LIMIT:
            raise RequestError(413, "body_too_large", "The body is too large.")
        caller = identify(house, event)
        logs.about(account_id=caller.account_id, client_id=caller.client_id)
        further = headers(house, event, caller.account_id)
        try:
            found = serve(event, caller)
        except VestibuleError as error:
            logs.note(error)
            found = refused(event, error)
        found["headers"].update(further)
        return found

    def refused(event: Event, error: VestibuleError) -> Answer:
        return refusal(refuse, event, error)

    def refused_unknown(event: Event, error: VestibuleError) -> Answer:
        answer = refused(event, error)
        with suppress(UnavailableError):  # the refusal is the news
            answer["headers"].update(headers(house, event, None))
        return answer

    return handler(answer, refused_unknown)


def refusal(refuse: Refuse, event: Event, error: VestibuleError) -> Answer:
    """Return a vendor's answer to what cannot be served, which says when to come back if that may help."""
    status = status_of(error)
    answer = refuse(event, status, error)
    answer["headers"].update(_come_back(status, error))
    return answer


def _find(compiled: Iterable[tuple[Route, re.Pattern[str]]], method: str, path: str) -> tuple[Route, dict[str, str]]:
    for route, pattern in compiled:
        found = pattern.fullmatch(path)
        if found and route.method == method:
            return route, {name: unquote(value or "") for name, value in found.groupdict().items()}
    raise NotFoundError("route_not_found", "There is no such route.")


def _come_back(status: int, error: VestibuleError) -> dict[str, str]:
    """Return the header that says when a refused call may succeed, if it may."""
    if isinstance(error, TooManyError):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": RETRY_AFTER} if status == 503 else {}  # noqa: PLR2004 - the status is its own name


def _below(base_path: str, path: str) -> str:
    """Return the path below the dialect's base path, wherever AWS or the emulator cut it."""
    return path[len(base_path) :] or "/" if f"{path.lower()}/".startswith(f"{base_path}/") else path
