"""``/logout``: end a sign-in."""

from vestibule.http.hub.leave import leave
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.sign_ins  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(leave)
