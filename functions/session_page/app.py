"""``/s/{session_id}`` and ``/go/{account}/{friendly_url}``: a session by a link that asks who comes."""

from vestibule.http.hub.session_page import session_page
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.entrances, house.sign_ins  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(session_page)
