"""``/s/{session_id}/register``: a session's public registration page."""

from vestibule.http.hub.registration import registration
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.entrances, house.registrations  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(registration)
