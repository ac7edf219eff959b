"""The frame around every worker: ids in the log, and none of the last invocation's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.http import logs
from vestibule.http.event import Event

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def begin(context: LambdaContext) -> None:
    """Start the log of an invocation."""
    logs.begin(Event({}), context)
