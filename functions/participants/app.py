"""``/v1/sessions/{id}/participants``: whom a session is for, each with a code and links."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, created, no_content
from vestibule.http.shapes.sessions import ParticipantChange, ParticipantsAdd, SessionView
from vestibule.wiring import House

_ALL = "/v1/sessions/<session_id>/participants"
_ONE = f"{_ALL}/<participant_id>"

house = House()
participants = house.participants
handler = api = Api(house.clock)


@api.route("GET", _ALL, scope=scopes.SESSIONS_READ)
def index(request: Request, session_id: str) -> Answer:
    found = participants.list_of(request.account_id, session_id)
    view = _view(request)
    return Answer({"items": [view.participant(p) for p in found]})


@api.route("POST", _ALL, scope=scopes.SESSIONS_WRITE)
def add(request: Request, session_id: str) -> Answer:
    invitees = [person.invitee() for person in request.read(ParticipantsAdd).participants]
    added = participants.add(request.account_id, session_id, invitees)
    view = _view(request)
    body = {"items": [view.participant(p) for p in added]}
    return created(body, f"/v1/sessions/{session_id}/participants")


@api.route("GET", _ONE, scope=scopes.SESSIONS_READ)
def show(request: Request, session_id: str, participant_id: str) -> Answer:
    _, found = participants.get(request.account_id, session_id, participant_id)
    return Answer(_view(request).participant(found))


@api.route("PATCH", _ONE, scope=scopes.SESSIONS_WRITE)
def change(request: Request, session_id: str, participant_id: str) -> Answer:
    fields = request.read(ParticipantChange).model_dump(exclude_unset=True)
    _, changed = participants.change(request.account_id, session_id, participant_id, fields)
    return Answer(_view(request).participant(changed))


@api.route("POST", f"{_ONE}/rotate", scope=scopes.SESSIONS_WRITE)
def rotate(request: Request, session_id: str, participant_id: str) -> Answer:
    _, rotated = participants.rotate(request.account_id, session_id, participant_id)
    return Answer(_view(request).participant(rotated))


@api.route("DELETE", _ONE, scope=scopes.SESSIONS_WRITE)
def remove(request: Request, session_id: str, participant_id: str) -> Answer:
    participants.remove(request.account_id, session_id, participant_id)
    return no_content()


def _view(request: Request) -> SessionView:
    return SessionView(house.accounts.get(request.account_id), house.links)
