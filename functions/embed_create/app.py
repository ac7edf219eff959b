"""``POST /v1/sessions/{id}/embeds``: an address for an iframe that knows who looks at it."""

from http import HTTPStatus

from vestibule.domain import scopes
from vestibule.http.api import Answer, Api, Request
from vestibule.http.shapes.embeds import EmbedCreate, embed_out
from vestibule.wiring import House

house = House()
accounts = house.accounts
handler = api = Api(house.clock)


@api.route("POST", "/v1/sessions/<session_id>/embeds", scope=scopes.EMBEDS_WRITE)
def create(request: Request, session_id: str) -> Answer:
    """Make an embed URL for one person; nothing is written.

    Errors: session_not_found, session_cancelled.
    """
    who = request.read(EmbedCreate).model_dump()
    session_only = who.pop("session_only")
    account = accounts.get(request.account_id)
    embed = house.embed_issuer.create(account, session_id, who, session_only=session_only)
    return Answer(embed_out(embed), HTTPStatus.CREATED)
