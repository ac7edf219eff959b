"""``/check``: a test of camera, microphone and browser."""

from vestibule.http.hub.check import check
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.accounts  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(check)
