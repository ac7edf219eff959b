"""``/join/{code}``: a session by connect code."""

from vestibule.http.hub.join import join
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.entrances  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(join)
