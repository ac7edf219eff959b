"""Keeps the signing keys in order: on a schedule, and at deployment."""

from vestibule.http.deployment import key_rotation
from vestibule.wiring import House

house = House()
handler = key_rotation(house)
