"""Every other path of the hub: vendors' spellings, and the page that says there is none."""

from vestibule.http.hub.doorway import doorway
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.accounts  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(doorway)
