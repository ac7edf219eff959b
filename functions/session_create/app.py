"""``POST /v1/sessions``: plan a session, with its host and whom else to invite."""

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request, created, tagged
from vestibule.http.shapes.sessions import SessionCreate, SessionView
from vestibule.wiring import House

house = House()
sessions = house.sessions
handler = api = Api(house.clock, house.idempotency)


@api.route("POST", "/v1/sessions", scope=scopes.SESSIONS_WRITE, takes_key=True)
def create(request: Request) -> Answer:
    """Plan a session with its host and up to 30 others, in one transaction.

    Errors: external_id_taken, friendly_url_taken, participant_exists.
    """
    account_id, wanted = request.account_id, request.read(SessionCreate)
    host, fields = wanted.host.ref(), wanted.fields()
    invitees = [person.invitee() for person in wanted.participants]
    (session, participants), replayed = request.once(
        lambda session_id: sessions.create(account_id, host, fields, invitees, session_id),
        lambda session_id: sessions.whole(account_id, session_id),
        created_at=lambda made: made[0].created_at,
    )
    view = SessionView(house.accounts.get(account_id), house.links)
    answer = created(view.session(session, participants), f"/v1/sessions/{session.session_id}", replayed=replayed)
    return tagged(answer, session.version)
