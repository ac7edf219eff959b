"""``/embed/{session_id}``: a session in a frame of the portal's own page."""

from vestibule.http.hub.embed import embed
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.entrances, house.seats  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(embed)
