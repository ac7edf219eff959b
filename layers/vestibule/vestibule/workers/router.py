"""The router: from the directory's stream to the outbox.

A failure is raised, so that the whole batch comes again: passing on an event
twice does no harm, since the worker acts on each once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.http import logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from vestibule.wiring import House


def router(house: House) -> Callable[[dict[str, Any], LambdaContext], None]:
    """Return the handler of a batch of stream records."""

    def handle(raw: dict[str, Any], context: LambdaContext) -> None:
        logs.begin_work(context)
        sent, set_aside = house.router.route(record["dynamodb"] for record in raw["Records"])
        if set_aside:
            logs.log.error("unreadable events set aside", events=set_aside)
        logs.log.info("events passed on", events=sent)

    return handle
