"""``/plan``: sessions that a person plans and hosts by themselves, without the portal."""

from vestibule.http.hub.plan import plan
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.sign_ins  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(plan)
