"""``/p/{token}``: a session by a participant's own link."""

from vestibule.http.hub.personal import personal
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.entrances  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(personal)
