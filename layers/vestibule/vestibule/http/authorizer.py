"""The native API's Lambda REQUEST authorizer.

Its yes is cached for 60 seconds under the Authorization header and spans all
routes, so it allows the whole stage and puts the caller, the scopes and the
expiry into the context; the functions check those.  Bad credentials are
"Unauthorized" (401); a failing dependency is an error (503), never a Deny.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.errors import UnauthenticatedError, UnavailableError
from vestibule.http import logs
from vestibule.http.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from vestibule.domain.clients import Caller
    from vestibule.wiring import House


def authorizer(house: House) -> Callable[[dict[str, Any], LambdaContext], dict[str, Any]]:
    """Return the authorizer's handler."""

    def handler(raw: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        event = Event(raw)
        logs.begin(event, context)
        try:
            caller = house.credentials.caller(event.headers.get("authorization"))
        except UnauthenticatedError as error:
            logs.note(error)
            # API Gateway answers 401 for this very text, and for no other.
            raise Exception("Unauthorized") from None  # noqa: TRY002
        except UnavailableError as error:
            logs.note(error)
            raise
        return allow(caller, str(raw["methodArn"]))

    return handler


def allow(caller: Caller, method_arn: str) -> dict[str, Any]:
    """Return a policy for every route of the stage, with the caller in its context.

    Parameters
    ----------
    method_arn
        ``arn:aws:execute-api:{region}:{account}:{api}/{stage}/{method}/{path}``
    """
    api, stage, *_ = method_arn.split("/")
    return {
        "principalId": caller.client_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": f"{api}/{stage}/*",
                }
            ],
        },
        "context": {
            "account_id": caller.account_id,
            "client_id": caller.client_id,
            "scopes": " ".join(caller.scopes),
            "exp": "" if caller.expires_at is None else str(caller.expires_at),
        },
    }
