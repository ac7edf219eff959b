"""``/sign-in``: how to get in; ``/sign-in/state``: who is signed in, for open pages."""

from typing import TYPE_CHECKING

from vestibule.http.hub.sign_in import sign_in, sign_in_state
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

_STATE = "/sign-in/state"

house = House()
house.sign_ins  # noqa: B018 - makes the DynamoDB client during start-up


def _route(visit: "Visit") -> "Answer":
    return sign_in_state(visit) if visit.event.resource == _STATE else sign_in(visit)


handler = Hub(house).page(_route)
