"""``POST /v1/sessions/{id}/registrants``: signs people up for a session, one or many."""

from vestibule.domain import scopes
from vestibule.http.api import BATCH_LIMIT, Answer, Api, Request, created
from vestibule.http.shapes.registrants import RegistrantBatch, RegistrantCreate, RegistrantView
from vestibule.wiring import House

_ALL = "/v1/sessions/<session_id>/registrants"

house = House()
registrants = house.registrants
handler = api = Api(house.clock, house.idempotency)


@api.route("POST", _ALL, scope=scopes.REGISTRANTS_WRITE, takes_key=True)
def create(request: Request, session_id: str) -> Answer:
    """Sign a person up; one registration for each e-mail address.

    Errors: session_not_found, session_cancelled, registrant_exists, session_full.
    """
    account_id, wanted = request.account_id, request.read(RegistrantCreate).wanted()
    made, replayed = request.once(
        lambda draw: registrants.register(account_id, session_id, wanted, draw),
        lambda draw: registrants.asked_for(account_id, session_id, wanted.email, draw),
    )
    address = f"/v1/sessions/{session_id}/registrants/{made.registrant_id}"
    return created(_view(request).one(made), address, replayed=replayed)


@api.route("POST", f"{_ALL}/batch", scope=scopes.REGISTRANTS_WRITE)
def create_many(request: Request, session_id: str) -> Answer:
    """Sign up to 100 people up, each with a result of their own.

    Errors: session_not_found, session_cancelled.
    """
    people = [one.wanted() for one in request.read(RegistrantBatch, most=BATCH_LIMIT).registrants]
    view = _view(request)
    results = registrants.register_all(request.account_id, session_id, people)
    return Answer({"results": [view.result(result) for result in results]})


def _view(request: Request) -> RegistrantView:
    return RegistrantView(house.accounts.get(request.account_id), house.links)
