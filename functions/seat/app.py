"""``/seat``: heartbeats of the pages in which people sit."""

from vestibule.http.hub.seat import seat
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.seats  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(seat)
