"""The Sequel dialect under ``/sequel``."""

from vestibule.dialects.sequel import sequel
from vestibule.wiring import House

house = House()
house.clients  # noqa: B018 - makes the DynamoDB client during start-up
handler = sequel(house)
