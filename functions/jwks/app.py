"""``GET /.well-known/jwks.json``: the published signing keys."""

from vestibule.http.jwks import jwks_endpoint
from vestibule.wiring import House

house = House()
house.verifier  # noqa: B018 - makes the DynamoDB client during start-up
handler = jwks_endpoint(house)
