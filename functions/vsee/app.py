"""The VSee dialect under ``/vsee`` and, for a client that keeps the vendor's path, ``/vc``."""

from vestibule.dialects.vsee import vsee
from vestibule.wiring import House

house = House()
house.clients  # noqa: B018 - makes the DynamoDB client during start-up
handler = vsee(house)
