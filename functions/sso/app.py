"""``/auth``: arrive with an SSO token."""

from vestibule.http.hub.arrive import arrive_by_token
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.sso_tokens  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(arrive_by_token)
