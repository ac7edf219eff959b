"""OnSync's invitees: who is invited to a session, in groups by role, each with a link of their own.

[ours]: the members of an invitee but e-mail address and link, and the messages.
"""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Any

from vestibule.dialects.onsync.wire import required
from vestibule.domain.participants import ADDED_AT_ONCE, Invitee
from vestibule.errors import FieldError, InvalidError, NotFoundError
from vestibule.model import Channel, ParticipantRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vestibule.dialects.onsync.wire import Ask
    from vestibule.dialects.reading import Members
    from vestibule.model import Participant, Session

_ROLES = {"1": ParticipantRole.ORGANIZER, "2": ParticipantRole.ATTENDEE, "3": ParticipantRole.OBSERVER}
_NUMBERS = {role: int(number) for number, role in _ROLES.items()} | {ParticipantRole.PRESENTER: 1}
_GROUPS = {"moderators": 1, "participants": 2, "observers": 3}
_NAMES = ("first_name", "last_name")


def invited(ask: Ask) -> list[Invitee]:
    """Return who is invited with a session; of one address, the last."""
    people = [_invitee(one) for one in ask.members.objects("invited_participants")]
    return list({(one.email or "").casefold(): one for one in people}.values())


def check(ask: Ask, session: Session, wanted: Sequence[Invitee]) -> None:
    """Refuse a list with somebody who could not be invited, before anything is changed for it.

    Raises
    ------
    InvalidError
        Somebody's address or name breaks a rule.
    """
    try:
        ask.house.participants.drafts(session, wanted)
    except InvalidError as refused:
        raise refused.without_places() from None


def replace_all(ask: Ask, session_id: str, wanted: Sequence[Invitee]) -> None:
    """Make a list the session's: who stays keeps id, link and token, and hears nothing again."""
    known = {(one.email or "").casefold(): one for one in _people(ask, session_id)}
    asked = {(one.email or "").casefold(): one for one in wanted}
    for part in batched([one for email, one in asked.items() if email not in known], ADDED_AT_ONCE, strict=False):
        _add(ask, session_id, part)
    for one in _people(ask, session_id):
        email = (one.email or "").casefold()
        if email in asked:
            _change(ask, one, asked[email])
        else:
            ask.house.participants.remove(ask.account_id, session_id, one.participant_id)


def grouped(ask: Ask) -> dict[str, Any]:
    """``GET /invitees/id/{session id}``."""
    people = _people(ask, ask.id_of("id", "session_not_found"))
    return {
        group: [_shown(ask, one) for one in people if _NUMBERS[one.role] == number] for group, number in _GROUPS.items()
    }


def add(ask: Ask) -> dict[str, Any]:
    """``PUT /invitee``."""
    session_id = ask.id_of("session_id", "session_not_found")
    (added,) = _add(ask, session_id, [_invitee(ask.members)])
    return {"id": int(added.participant_id), "message": "Invitee added"}


def change(ask: Ask) -> dict[str, Any]:
    """``POST /invitee``."""
    found = _named(ask)
    _change(ask, found, _invitee(ask.members, found))
    return {"id": int(found.participant_id), "message": "Invitee updated"}


def remove(ask: Ask) -> dict[str, Any]:
    """``DELETE /invitee``."""
    found = _named(ask)
    ask.house.participants.remove(ask.account_id, found.session_id, found.participant_id)
    return {"message": "Invitee was deleted"}


def put_by_email(ask: Ask) -> dict[str, Any]:
    """``PUT /user_invitee``: of an address that is invited already, a change."""
    session_id, wanted = ask.id_of("session_id", "session_not_found"), _invitee(ask.members)
    known = {(one.email or "").casefold(): one for one in _people(ask, session_id)}
    if found := known.get((wanted.email or "").casefold()):
        return _linked(ask, _change(ask, found, wanted))
    (added,) = _add(ask, session_id, [wanted])
    return _linked(ask, added)


def change_by_email(ask: Ask) -> dict[str, Any]:
    """``POST /user_invitee``."""
    found = _named(ask, by_email=True)
    return _linked(ask, _change(ask, found, _invitee(ask.members, found)))


def remove_by_email(ask: Ask) -> dict[str, Any]:
    """``DELETE /user_invitee``: the link in the answer is dead from now on."""
    found = _named(ask, by_email=True)
    ask.house.participants.remove(ask.account_id, found.session_id, found.participant_id)
    return _linked(ask, found)


def _add(ask: Ask, session_id: str, people: Sequence[Invitee]) -> list[Participant]:
    """Add people, whose places here are not those of any list that the client sent."""
    try:
        return ask.house.participants.add(ask.account_id, session_id, people)
    except InvalidError as refused:
        raise refused.without_places() from None


def _people(ask: Ask, session_id: str) -> list[Participant]:
    """Return whom the client has invited: everybody but the host."""
    gathering = ask.house.participants.gathering(ask.account_id, session_id)
    if gathering.session.cancelled_at is not None:
        raise NotFoundError("session_not_found", "The session was deleted.")
    return [one for one in gathering.participants if one.role is not ParticipantRole.HOST]


def _named(ask: Ask, *, by_email: bool = False) -> Participant:
    """Return the invitee whom a call names, by id or e-mail address.

    Parameters
    ----------
    by_email
        The address counts where there is one: in version 2 a ``user_id`` is the customer's own.
    """
    people = _people(ask, ask.id_of("session_id", "session_not_found"))
    user_id, email = ask.members.text("user_id") or ask.members.text("id"), ask.members.text("email")
    if user_id is None and email is None:
        raise required("email" if by_email else "user_id")
    if by_email and email is not None:
        user_id = None
    for one in people:
        if one.participant_id == user_id or (user_id is None and email and _is(one, email)):
            return one
    raise NotFoundError("participant_not_found", "The session has no such invitee.")


def _is(participant: Participant, email: str) -> bool:
    return (participant.email or "").casefold() == email.casefold()


def _invitee(members: Members, before: Participant | None = None) -> Invitee:
    """Return somebody to be invited; what is left out is as it was ``before``."""
    email = members.text("email") or (before.email if before else None)
    if email is None:
        raise required("email")
    role = members.text("role") or str(_NUMBERS[before.role] if before else 2)
    if role not in _ROLES:
        raise InvalidError(FieldError("role", "out_of_range", "role: must be 1, 2 or 3."))
    names = {name: members.text(name) or "" for name in _NAMES}
    if before is not None:
        names = {name: names[name] if name in members else old for name, old in _names(before).items()}
    return Invitee(
        # A name may be a single blank; a person has to be called something.
        full_name=" ".join(filter(None, names.values())) or email.partition("@")[0],
        email=email,
        role=_ROLES[role],
        notify=Channel.EMAIL if members.flag("send_email_invitation") else Channel.NONE,
        extras=names,
    )


def _change(ask: Ask, before: Participant, wanted: Invitee) -> Participant:
    """Change what differs.

    Who was sent an invitation stays somebody who hears of changes, and another
    spelling of the same address is no reason to write to it again.
    """
    fields: dict[str, Any] = {
        "full_name": wanted.full_name,
        "email": before.email if _is(before, wanted.email or "") else wanted.email,
        "role": before.role if _NUMBERS[before.role] == _NUMBERS[wanted.role] else wanted.role,
        "notify": before.notify if wanted.notify is Channel.NONE else wanted.notify,
        "extras": {name: text for name, text in {**before.extras, **wanted.extras}.items() if text},
    }
    changed = {name: value for name, value in fields.items() if value != getattr(before, name)}
    if not changed:
        return before
    return ask.house.participants.change(ask.account_id, before.session_id, before.participant_id, changed)[1]


def _names(participant: Participant) -> dict[str, str]:
    """Return first and last name, as they came, else as a full name falls apart."""
    if any(name in participant.extras for name in _NAMES):
        return {name: participant.extras.get(name, "") for name in _NAMES}
    first, _, last = participant.full_name.partition(" ")
    return dict(zip(_NAMES, (first, last), strict=True))


def _shown(ask: Ask, participant: Participant) -> dict[str, Any]:
    # A client finds the link by a pattern that begins at the address.
    return {
        "email": participant.email or "",
        **_names(participant),
        "role": _NUMBERS[participant.role],
        "user_id": int(participant.participant_id),
        "personal_session_link": ask.house.links.personal_link(ask.account.slug, participant),
    }


def _linked(ask: Ask, participant: Participant) -> dict[str, Any]:
    link = ask.house.links.personal_link(ask.account.slug, participant)
    return {"id": int(participant.participant_id), "personal_session_link": link}
