"""Passes on what writes of the directory have caused: stream to queue."""

from vestibule.wiring import House
from vestibule.workers.router import router

house = House()
handler = router(house)
