"""The native API's front door: routes, callers, bodies in, answers and problems out.

A route is a function of a `Request`; it returns an `Answer` or raises one of
`vestibule.errors`.  Scope and expiry of the caller are checked before it runs,
because the authorizer's cached yes spans all routes and 60 seconds.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, ValidationError

from vestibule.domain import scopes
from vestibule.domain.clients import Caller
from vestibule.domain.idempotency import Ask
from vestibule.errors import FieldError, InvalidError, NotFoundError, UnauthenticatedError
from vestibule.http import cursors, logs
from vestibule.http.handler import handler
from vestibule.http.idempotency import REPLAYED, key_of, refuse_key
from vestibule.http.problems import RequestError, problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from vestibule.clock import Clock
    from vestibule.domain.idempotency import Idempotency
    from vestibule.http.event import Event

BODY_LIMIT = 64 * 1_024
"""Bytes."""
BATCH_LIMIT = 1_024 * 1_024
"""Bytes of a body that brings many objects at once."""
DEFAULT_LIMIT = 25
LIMITS = range(1, 101)

_LONGEST_VERSION = 9
_CODES = {
    "extra_forbidden": "unknown_member",
    "missing": "required",
    "too_short": "required",
    "too_long": "too_many",
}
"""Pydantic's findings that are more than a wrong type."""
_WORDS = {
    "extra_forbidden": "is not known here",
    "missing": "is required",
    "too_short": "must have at least {min_length} entry",
    "too_long": "must have at most {max_length} entries",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "value_error": "{error}",
}
"""What is said of those that pydantic speaks of in words of Python's."""
_VARIABLE = re.compile(r"<(\w+)>")


class Body(BaseModel):
    """A JSON body: the given types and no others, unknown members refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route answers: a status and, unless it is 204, a body.

    Attributes
    ----------
    body
        Written as JSON; with a Content-Type among ``headers``, a text that is sent as it is.
    """

    body: Any = None
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


def created(body: Any, location: str, *, replayed: bool = False) -> Answer:
    """Answer 201 with the new object and its address.

    Parameters
    ----------
    replayed
        Whether an earlier call with the same Idempotency-Key created it.
    """
    return Answer(body, HTTPStatus.CREATED, {"Location": location, **(REPLAYED if replayed else {})})


def tagged(answer: Answer, version: int) -> Answer:
    """Add the entity tag that If-Match takes (RFC 9110, 8.8.3)."""
    return replace(answer, headers={**answer.headers, "ETag": f'"{version}"'})


def accepted(body: Any) -> Answer:
    """Answer 202: it is written down and will be done."""
    return Answer(body, HTTPStatus.ACCEPTED)


def no_content() -> Answer:
    """Answer 204."""
    return Answer(status=HTTPStatus.NO_CONTENT)


@dataclass(frozen=True, slots=True)
class Page:
    """What a list was asked for.

    Attributes
    ----------
    after
        Position that the previous page ended at, None for the first page.
    """

    limit: int
    after: Any


class Request:
    """One call of the native API by a proven caller."""

    def __init__(self, event: Event, caller: Caller, idempotency: Idempotency | None) -> None:
        self.event = event
        self.caller = caller
        self._idempotency = idempotency

    @property
    def account_id(self) -> str:
        """The caller's account: the only one that the call may touch."""
        return self.caller.account_id

    def read[B: Body](self, shape: type[B], *, most: int = BODY_LIMIT) -> B:
        """Return the JSON body.

        Parameters
        ----------
        most
            Bytes.

        Raises
        ------
        RequestError
            There is no JSON object to read: 400, 413 or 415.
        InvalidError
            A member is missing, unknown or of the wrong type.
        """
        document = _json_object(self.event, most)
        try:
            return shape.model_validate(document)
        except ValidationError as error:
            raise InvalidError(*map(_field_error, error.errors(include_url=False))) from None

    def once[T](
        self,
        create: Callable[[str | None], T],
        find: Callable[[str], T],
        *,
        created_at: Callable[[T], int] = attrgetter("created_at"),
        resumes: bool = False,
    ) -> tuple[T, bool]:
        """Create an object; with an Idempotency-Key, once for all calls with that key.

        Parameters
        ----------
        create, find, created_at, resumes
            See `vestibule.domain.idempotency.Idempotency.once`; without a key
            ``create`` draws the id itself.

        Returns
        -------
        tuple
            The object, and whether an earlier call created it.

        Raises
        ------
        RequestError
            The key is malformed.
        VestibuleError
            Whatever `Idempotency.once` raises.
        """
        key = key_of(self.event)
        if key is None or self._idempotency is None:
            return create(None), False
        ask = Ask(
            self.account_id,
            self.caller.client_id,
            f"{self.event.method} {self.event.path}",
            key,
            json.dumps(_json_object(self.event), sort_keys=True, separators=(",", ":")),
        )
        return self._idempotency.once(ask, create, find, created_at=created_at, resumes=resumes)

    def seen_version(self) -> int | None:
        """Return the version in If-Match, None when the caller does not care.

        Raises
        ------
        RequestError
            The header is not an entity tag of ours.
        """
        tag = self.event.headers.get("if-match", "*").strip()
        if tag == "*":
            return None
        text = tag.removeprefix("W/").strip('"')
        if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_VERSION):
            raise RequestError(400, "invalid_if_match", "If-Match must be an ETag that this API gave out.")
        return int(text)

    def query(self, *known: str) -> Mapping[str, str]:
        """Return the query's parameters.

        Raises
        ------
        InvalidError
            There is one that this route does not know.
        """
        unknown = sorted(set(self.event.query) - set(known))
        if unknown:
            raise InvalidError(*(FieldError(n, "unknown_parameter", f"{n}: is not known here.") for n in unknown))
        return self.event.query

    def page(self, *binding: str) -> Page:
        """Return ``limit`` and ``cursor`` of a list.

        Parameters
        ----------
        binding
            What the list is of, filters included.

        Raises
        ------
        InvalidError
            Either is not usable.
        """
        text = self.event.query.get("limit", str(DEFAULT_LIMIT))
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(LIMITS.stop))
        if not is_number or int(text) not in LIMITS:
            raise InvalidError(FieldError("limit", "out_of_range", "limit: must be 1 to 100."))
        cursor = self.event.query.get("cursor")
        after = cursors.decode(cursor, self.caller.client_id, *binding) if cursor else None
        return Page(int(text), after)

    def cursor(self, position: Any, *binding: str) -> str | None:
        """Return the cursor of the next page, None when there is none."""
        return cursors.encode(position, self.caller.client_id, *binding) if position else None


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    scope: str
    takes_key: bool
    takes_query: bool
    serve: Callable[..., Answer]


class Api:
    """The routes of one function.

    Parameters
    ----------
    clock
        Judges the caller's expiry.
    idempotency
        Answers repeated creations; needed when a route takes a key.
    """

    def __init__(self, clock: Clock, idempotency: Idempotency | None = None) -> None:
        self._clock = clock
        self._idempotency = idempotency
        self._routes: list[_Route] = []
        self._handle = handler(self._serve, lambda event, error: problem(error, event.request_id))

    def route(
        self, method: str, path: str, *, scope: str, takes_key: bool = False, takes_query: bool = False
    ) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
        """Register a route.

        Parameters
        ----------
        path
            With variables as ``<user_id>``, handed to the route by name, percent-decoded.
        scope
            What the caller must have been granted.
        takes_key
            Whether the route creates by `Request.once`.  Any other POST refuses an
            Idempotency-Key: to ignore it would be to promise what is not kept.
        takes_query
            Whether the route reads the query, by `Request.query`.  Any other knows no parameter.
        """
        pattern = re.compile(_VARIABLE.sub(r"(?P<\1>[^/]+)", path))

        def register(serve: Callable[..., Answer]) -> Callable[..., Answer]:
            self._routes.append(_Route(method, pattern, scope, takes_key, takes_query, serve))
            return serve

        return register

    def __call__(self, raw: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one request: the function's handler."""
        return self._handle(raw, context)

    def _serve(self, event: Event) -> dict[str, Any]:
        for route in self._routes:
            found = route.pattern.fullmatch(event.path)
            if found and route.method == event.method:
                values = {name: unquote(text) for name, text in found.groupdict().items()}
                request = self._admit(event, route.scope)
                if event.method == "POST" and not (route.takes_key and self._idempotency):
                    refuse_key(event)
                if not route.takes_query:
                    request.query()
                return _respond(route.serve(request, **values))
        raise NotFoundError("route_not_found", "There is no such route.")

    def _admit(self, event: Event, scope: str) -> Request:
        """Check the caller before the route runs."""
        said = event.authorizer
        if not said.get("account_id"):
            raise UnauthenticatedError
        expires_at = int(said["exp"]) if said.get("exp") else None
        if expires_at is not None and self._clock() >= expires_at:
            raise UnauthenticatedError
        caller = Caller(
            str(said["account_id"]),
            str(said["client_id"]),
            tuple(str(said.get("scopes", "")).split()),
            expires_at,
        )
        logs.about(account_id=caller.account_id, client_id=caller.client_id)
        scopes.require(scope, caller.scopes)
        return Request(event, caller, self._idempotency)


def _respond(answer: Answer) -> dict[str, Any]:
    has_body = answer.status != HTTPStatus.NO_CONTENT
    content_type = {"Content-Type": "application/json"} if has_body else {}
    return {
        "statusCode": int(answer.status),
        "headers": {
            **content_type,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **answer.headers,
        },
        "body": _text_of(answer) if has_body else "",
        "isBase64Encoded": False,
    }


def _text_of(answer: Answer) -> str:
    return str(answer.body) if "Content-Type" in answer.headers else json.dumps(answer.body, ensure_ascii=False)


def _json_object(event: Event, most: int = BODY_LIMIT) -> Any:
    if len(event.body) > most:
        raise RequestError(413, "body_too_large", f"The body is larger than {most // 1_024} KB.")
    if event.content_type != "application/json":
        raise RequestError(415, "unsupported_media_type", "Send the body as Content-Type: application/json.")
    try:
        text = event.body.decode()
        document = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_members_once)
        if "\\u" in text:
            # JSON can spell half a surrogate pair, which no answer and no table could hold.
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RequestError(400, "malformed_json", "The body is not JSON.") from None
    if not isinstance(document, dict):
        raise RequestError(400, "malformed_json", "The body must be a JSON object.")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's members; of two with one name, nobody could say which is meant (RFC 8259, 4)."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise RequestError(400, "malformed_json", "A member of the body comes twice.")
    return members


def _field_error(found: Mapping[str, Any]) -> FieldError:
    """Return one of pydantic's findings; the offending value stays out of it."""
    path = ".".join(str(part) for part in found["loc"])
    code = _CODES.get(found["type"], "wrong_type")
    words = _WORDS.get(found["type"])
    said = words.format(**found.get("ctx", {})) if words else str(found["msg"])
    return FieldError(path, code, f"{path}: {said.rstrip('.')}.")
