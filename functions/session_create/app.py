"""``POST /v1/sessions``: plan a session, with its host and whom else to invite."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, created, tagged
from vestibule.http.shapes.sessions import SessionCreate, SessionView
from vestibule.wiring import House

house = House()
sessions = house.sessions
handler = api = Api(house.clock)


@api.route("POST", "/v1/sessions", scope=scopes.SESSIONS_WRITE)
def create(request: Request) -> Answer:
    wanted = request.read(SessionCreate)
    invitees = [person.invitee() for person in wanted.participants]
    session, participants = sessions.create(request.account_id, wanted.host.ref(), wanted.fields(), invitees)
    view = SessionView(house.accounts.get(request.account_id), house.links)
    answer = created(view.session(session, participants), f"/v1/sessions/{session.session_id}")
    return tagged(answer, session.version)
