"""Embeds and registrants: who may come in, and by which address."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vestibule.dialects import reading
from vestibule.dialects.sequel.wire import account_of, all_of, answer, event_of, needed
from vestibule.domain.registrants import NewRegistrant
from vestibule.errors import ConflictError, NotFoundError
from vestibule.http.problems import RequestError

if TYPE_CHECKING:
    from vestibule.dialects.front_door import Call
    from vestibule.http.event import Answer
    from vestibule.model import Registrant
    from vestibule.store.directory.lists import Position

_ANONYMOUS_BYTES = 8


def embed_code(call: Call) -> Answer:
    """Give the iframe's address for a person, as a bare JSON string."""
    sent = reading.members(call.event.body)
    email = sent.text("userEmail")
    who = {
        "user_id": sent.text("userId") or email or f"anonymous-{call.house.random.token_hex(_ANONYMOUS_BYTES)}",
        "user_name": sent.text("userDisplayName") or sent.text("userName"),
        "user_email": email,
        "user_avatar": sent.text("userAvatar"),
    }
    session_only = sent.flag("eventSpecific", default=True)
    issuer = call.house.embed_issuer
    return answer(200, issuer.create(account_of(call), call.values["event_id"], who, session_only=session_only).url)


def register(call: Call) -> Answer:
    """Sign somebody up."""
    sent = reading.members(call.event.body)
    wanted = NewRegistrant(name=needed(sent, "name"), email=needed(sent, "email"), metadata=sent.mapping("metadata"))
    try:
        registrant = call.house.registrants.register(call.caller.account_id, call.values["event_id"], wanted)
    except (NotFoundError, ConflictError) as refused:
        if refused.code not in {"session_not_found", "session_cancelled"}:
            raise
        raise RequestError(404, "session_unknown", "Invalid auth token") from None  # the vendor's words for it
    return answer(200, _out(call, registrant))


def index(call: Call) -> Answer:
    """List who has signed up."""
    session = event_of(call)

    def page(after: Position | None, limit: int) -> tuple[list[Registrant], Position | None]:
        return call.house.registrants.page(session.account_id, session.session_id, after=after, limit=limit)

    return answer(200, [_out(call, registrant) for registrant in all_of(page)])


def cancel(call: Call) -> Answer:
    """Take a registration back, by the address."""
    session, email = event_of(call), needed(reading.members(call.event.body), "email")
    registrants = call.house.registrants
    found = registrants.with_email(session.account_id, session.session_id, email)
    if found is None:
        raise NotFoundError("registrant_not_found", "The session has no such registrant.")
    registrants.cancel(session.account_id, session.session_id, found.registrant_id)
    return answer(204)


def _out(call: Call, registrant: Registrant) -> dict[str, Any]:
    return {
        "name": registrant.name,
        "email": registrant.email,
        "join_url": call.house.links.join_url(account_of(call).slug, registrant),
        "metadata": json.loads(registrant.metadata),
    }
