"""``/dashboard/rooms``: a user's rooms, who waits there, and letting them in; ``/dashboard/presence``: who is in."""

from typing import TYPE_CHECKING

from vestibule.http.hub.presence import presence
from vestibule.http.hub.visit import Hub
from vestibule.http.hub.waiting_rooms import waiting_rooms
from vestibule.wiring import House

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

_PRESENCE = "/dashboard/presence"

house = House()
house.admission, house.sign_ins  # noqa: B018 - makes the DynamoDB client during start-up


def _route(visit: "Visit") -> "Answer":
    return presence(visit) if visit.event.resource == _PRESENCE else waiting_rooms(visit)


handler = Hub(house).page(_route)
