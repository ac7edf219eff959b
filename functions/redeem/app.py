"""``/login/{guid}``: redeem a login URI."""

from vestibule.http.hub.arrive import arrive
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.login_uris  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(arrive)
