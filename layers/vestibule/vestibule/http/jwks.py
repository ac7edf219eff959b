"""``GET /.well-known/jwks.json``: the published keys (RFC 7517, section 5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vestibule.clock import SECOND
from vestibule.domain.signing_keys import REMEMBERED_FOR
from vestibule.http.handler import handler
from vestibule.http.problems import problem

if TYPE_CHECKING:
    from vestibule.http.event import Answer, Event
    from vestibule.http.handler import Handler
    from vestibule.wiring import House

MEDIA_TYPE = "application/jwk-set+json"


def jwks_endpoint(house: House) -> Handler:
    """Return the handler of the key set; verifiers may keep its answer for 5 minutes."""

    def serve(_: Event) -> Answer:
        return {
            "statusCode": 200,
            "headers": {
                "Content-Type": MEDIA_TYPE,
                "Cache-Control": f"public, max-age={REMEMBERED_FOR // SECOND}",
                "Access-Control-Allow-Origin": "*",
                "X-Content-Type-Options": "nosniff",
            },
            "body": json.dumps({"keys": [dict(key.public_key) for key in house.verifier.all()]}),
            "isBase64Encoded": False,
        }

    return handler(serve, lambda event, error: problem(error, event.request_id))
