"""``/u/{slug}``: a room's door; ``/s/{session_id}/waiting``: the open page of a session that is planned in a room."""

from vestibule.http.hub.room_door import room_door
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.waiting, house.sign_ins  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(room_door)
