"""``/v1/sessions/{id}/participants``: whom a session is for, each with a code and links."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, accepted, created, no_content
from vestibule.http.shapes.sessions import ParticipantChange, ParticipantsAdd, SessionView
from vestibule.wiring import House

_ALL = "/v1/sessions/<session_id>/participants"
_ONE = f"{_ALL}/<participant_id>"

house = House()
participants, reminders = house.participants, house.reminders
handler = api = Api(house.clock, house.idempotency)


@api.route("GET", _ALL, scope=scopes.SESSIONS_READ)
def index(request: Request, session_id: str) -> Answer:
    """List a session's participants with their links and codes, the host first.

    Errors: session_not_found.
    """
    found = participants.gathering(request.account_id, session_id)
    view = _view(request)
    return Answer({"items": [view.participant(p, found.deliveries.get(p.participant_id)) for p in found.participants]})


@api.route("POST", _ALL, scope=scopes.SESSIONS_WRITE, takes_key=True)
def add(request: Request, session_id: str) -> Answer:
    """Add up to 100 people, all of them or none.

    Errors: session_not_found, session_cancelled, participant_exists, too_many_participants.
    """
    account_id = request.account_id
    invitees = [person.invitee() for person in request.read(ParticipantsAdd).participants]
    added, replayed = request.once(
        lambda batch: participants.add(account_id, session_id, invitees, batch),
        lambda batch: participants.added_by(account_id, session_id, batch),
        resumes=True,
    )
    view = _view(request)
    body = {"items": [view.participant(p) for p in added]}
    return created(body, f"/v1/sessions/{session_id}/participants", replayed=replayed)


@api.route("GET", _ONE, scope=scopes.SESSIONS_READ)
def show(request: Request, session_id: str, participant_id: str) -> Answer:
    """Show a participant with links, code and the last letter.

    Errors: session_not_found, participant_not_found.
    """
    _, found = participants.get(request.account_id, session_id, participant_id)
    return Answer(_view(request).participant(found, participants.delivery_to(found)))


@api.route("PATCH", _ONE, scope=scopes.SESSIONS_WRITE)
def change(request: Request, session_id: str, participant_id: str) -> Answer:
    """Change a participant; a new address is invited anew.

    Errors: session_not_found, participant_not_found, participant_exists, participant_changed.
    """
    fields = request.read(ParticipantChange).model_dump(exclude_unset=True)
    _, changed = participants.change(request.account_id, session_id, participant_id, fields)
    return Answer(_view(request).participant(changed, participants.delivery_to(changed)))


@api.route("POST", f"{_ONE}/rotate", scope=scopes.SESSIONS_WRITE)
def rotate(request: Request, session_id: str, participant_id: str) -> Answer:
    """Give a participant a new link, passkey and code; the old ones are dead at once.

    Errors: session_not_found, participant_not_found, participant_changed.
    """
    _, rotated = participants.rotate(request.account_id, session_id, participant_id)
    return Answer(_view(request).participant(rotated, participants.delivery_to(rotated)))


@api.route("POST", f"{_ONE}/reminders", scope=scopes.SESSIONS_WRITE)
def remind(request: Request, session_id: str, participant_id: str) -> Answer:
    """Remind a participant by mail or text message.

    Errors: session_not_found, participant_not_found, session_cancelled, session_over, no_address,
      too_many_reminders.
    """
    reminded = reminders.remind(request.account_id, session_id, participant_id)
    return accepted(_view(request).participant(reminded, participants.delivery_to(reminded)))


@api.route("DELETE", _ONE, scope=scopes.SESSIONS_WRITE)
def remove(request: Request, session_id: str, participant_id: str) -> Answer:
    """Remove a participant; link and code are dead at once.

    Errors: session_not_found, participant_not_found, host_is_fixed, participant_changed.
    """
    participants.remove(request.account_id, session_id, participant_id)
    return no_content()


def _view(request: Request) -> SessionView:
    return SessionView(house.accounts.get(request.account_id), house.links)
