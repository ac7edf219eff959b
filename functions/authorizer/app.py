"""The native API's authorizer: who is calling, by Basic or Bearer."""

from vestibule.http.authorizer import authorizer
from vestibule.wiring import House

house = House()
house.credentials  # noqa: B018 - makes the DynamoDB client during start-up
handler = authorizer(house)
