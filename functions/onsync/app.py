"""The OnSync dialect under ``/onsync``."""

from vestibule.dialects.onsync import onsync
from vestibule.wiring import House

house = House()
house.sessions  # noqa: B018 - makes the DynamoDB client during start-up
handler = onsync(house)
