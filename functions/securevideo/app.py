"""The SecureVideo dialect under ``/securevideo``."""

from vestibule.dialects.securevideo import securevideo
from vestibule.wiring import House

house = House()
house.login_uris  # noqa: B018 - makes the DynamoDB client during start-up
handler = securevideo(house)
