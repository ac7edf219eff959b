"""``/dashboard/rooms``: a user's rooms, who waits there, and letting them in."""

from vestibule.http.hub.visit import Hub
from vestibule.http.hub.waiting_rooms import waiting_rooms
from vestibule.wiring import House

house = House()
house.admission, house.sign_ins  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(waiting_rooms)
