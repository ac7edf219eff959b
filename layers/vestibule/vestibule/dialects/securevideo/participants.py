"""SecureVideo's Participant API, and how somebody who is invited is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.dialects import windows_zones
from vestibule.dialects.securevideo.view import CHANNELS, View
from vestibule.dialects.securevideo.wire import answer, members_of, session_id_of
from vestibule.domain.participants import Invitee
from vestibule.domain.rules import Checks
from vestibule.errors import ConflictError, InvalidError, NotFoundError
from vestibule.model import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vestibule.dialects.front_door import Call
    from vestibule.dialects.reading import Members
    from vestibule.http.event import Answer

_SHORTEST_NAME = 2
_KEPT = ("ParticipantDefaultResolution", "ParticipantTimeZoneWindowsId")
"""What is kept for the client alone."""


def add(call: Call) -> Answer:
    """``POST /participant/{sessionId}``."""
    account_id, session_id = call.caller.account_id, session_id_of(call)
    guest = invitee_of(call, members_of(call))
    gathering = call.house.participants.gathering(account_id, session_id)
    if gathering.session.status is SessionStatus.CANCELLED:
        raise NotFoundError("session_not_found", "The session was deleted.")
    refuse_namesakes([one.full_name for one in gathering.participants], [guest])
    try:
        (added,) = call.house.participants.add(account_id, session_id, [guest[0]])
    except InvalidError as refused:
        raise refused.without_places() from None
    return answer(201, View(call).participant(gathering.session, added))


def remove(call: Call) -> Answer:
    """``DELETE /participant/{participationId}``."""
    account_id, participant_id = call.caller.account_id, call.values["participant_id"]
    session_id = call.house.participants.session_id_of(account_id, participant_id)
    call.house.participants.remove(account_id, session_id, participant_id)
    return answer(204)


def invitee_of(call: Call, members: Members) -> tuple[Invitee, str]:
    """Return somebody to be invited, and their name."""
    checks = Checks()
    user_id, name = members.text("SecureVideoUserId"), members.text("ParticipantFullName")
    user = call.house.users.get(call.caller.account_id, user_id) if user_id and user_id != "0" else None
    if len(name or (user.full_name if user else "")) < _SHORTEST_NAME:
        checks.refuse("ParticipantFullName", "invalid_length", "must have 2 or more characters.")
    letter = (members.text("ShouldAutoDeliverCode") or "N").upper()
    if letter not in CHANNELS:
        checks.refuse("ShouldAutoDeliverCode", "out_of_range", "must be E, S or N.")
    kept = {one: text for one in _KEPT if (text := members.text(one))}
    if zone := kept.get("ParticipantTimeZoneWindowsId"):
        checks.apply("ParticipantTimeZoneWindowsId", windows_zones.iana_of, zone)
    checks.finish()
    phone = members.text("ParticipantSmsNumber")
    if user is not None:
        phone = phone or user.extras.get("SmsNumber")
        kept = {
            "ParticipantDefaultResolution": user.extras.get("DefaultResolution", ""),
            "ParticipantTimeZoneWindowsId": windows_zones.name_of(user.time_zone),
        } | kept
    invitee = Invitee(
        full_name=name,
        email=members.text("ParticipantEmailAddress"),
        phone=phone,
        user_id=user.user_id if user else None,
        external_id=members.text("ParticipantExternalId"),
        notify=CHANNELS[letter],
        extras=kept,
    )
    return invitee, name or (user.full_name if user else "")


def refuse_namesakes(known: Sequence[str], guests: Iterable[tuple[Invitee, str]]) -> None:
    """Refuse two people of one name in a session, as the vendor does."""
    names = {name.casefold() for name in known}
    for _, name in guests:
        if name.casefold() in names:
            raise ConflictError("participant_exists", f"{name} takes part in the session already.")
        names.add(name.casefold())
