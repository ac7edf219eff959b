"""``/dashboard``: the signed-in person's own page."""

from vestibule.http.hub.dashboard import dashboard
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.sign_ins  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(dashboard)
