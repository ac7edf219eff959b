"""``POST /v1/oauth/token``: client credentials for an access token."""

from vestibule.http.oauth import token_endpoint
from vestibule.wiring import House

house = House()
house.clients  # noqa: B018 - makes the DynamoDB client during start-up
handler = token_endpoint(house)
