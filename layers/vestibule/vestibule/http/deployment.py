"""The key rotation's two callers: the schedule, and CloudFormation at deployment.

A custom resource must answer CloudFormation whatever happens, else the stack
hangs for an hour.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from vestibule.errors import UnavailableError
from vestibule.http import logs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from vestibule.wiring import House

_ANSWER_TIMEOUT = 5
"""Seconds."""
_RESOURCE_ID = "signing-keys"


def key_rotation(house: House) -> Callable[[dict[str, Any], LambdaContext], None]:
    """Return the handler of both callers."""

    def handler(raw: dict[str, Any], context: LambdaContext) -> None:
        logs.begin_work(context)
        if "ResponseURL" in raw:
            _for_cloudformation(house, raw)
        else:
            _run(house)

    return handler


def _run(house: House) -> None:
    ring = house.key_rotation.run()
    logs.log.info("signing keys in order", kids=[key.kid for key in ring])


def _for_cloudformation(house: House, raw: Mapping[str, Any]) -> None:
    """Run at create and update, never at delete: the keys go with the stack's secret."""
    status, reason = "SUCCESS", ""
    if raw["RequestType"] != "Delete":
        try:
            _run(house)
        except UnavailableError as error:
            logs.note(error)
            status, reason = "FAILED", f"{error.dependency} is unavailable; deploy again"
        except Exception as error:  # noqa: BLE001 - CloudFormation must be answered whatever happened
            logs.note(error)
            status, reason = "FAILED", "see the log of the key rotation function"
    _tell(raw, status, reason)


def _tell(raw: Mapping[str, Any], status: str, reason: str) -> None:
    document = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": _RESOURCE_ID,
        "StackId": raw["StackId"],
        "RequestId": raw["RequestId"],
        "LogicalResourceId": raw["LogicalResourceId"],
    }
    # CloudFormation's own presigned address; an empty content type is part of its signature.
    request = Request(  # noqa: S310
        raw["ResponseURL"],
        data=json.dumps(document).encode(),
        method="PUT",
        headers={"Content-Type": ""},
    )
    with urlopen(request, timeout=_ANSWER_TIMEOUT):  # noqa: S310
        pass
