"""The frame around every handler: ids in the log, and an answer whatever happens.

Each front door brings its own shape of refusal; no exception's text leaves here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.errors import InternalError, VestibuleError
from vestibule.http import logs
from vestibule.http.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from vestibule.http.event import Answer

    type Handler = Callable[[dict[str, Any], LambdaContext], Answer]


def handler(serve: Callable[[Event], Answer], refuse: Callable[[Event, VestibuleError], Answer]) -> Handler:
    """Return a function's handler.

    Parameters
    ----------
    serve
        Answers a request or raises one of `vestibule.errors`.
    refuse
        Makes the door's answer from a refusal.
    """

    def handle(raw: dict[str, Any], context: LambdaContext) -> Answer:
        event = Event(raw)
        logs.begin(event, context)
        try:
            return serve(event)
        except VestibuleError as error:
            logs.note(error)
            return refuse(event, error)
        except Exception as error:  # noqa: BLE001 - the last door: nobody must meet a bare 502
            logs.note(error)
            return refuse(event, InternalError())

    return handle
