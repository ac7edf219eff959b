"""``/sign-in/link`` and ``/sign-in/password``: a link by mail, asked for and followed."""

from vestibule.http.hub.mailed_links import mailed_links
from vestibule.http.hub.visit import Hub
from vestibule.wiring import House

house = House()
house.sign_ins  # noqa: B018 - makes the DynamoDB client during start-up
handler = Hub(house).page(mailed_links)
