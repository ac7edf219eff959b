"""The log: one JSON object a line, with the request's and the account's id.

No token, secret, cookie, e-mail address, path or body is ever handed to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from vestibule.errors import UnavailableError, VestibuleError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from vestibule.http.event import Event

log = Logger(service="vestibule", utc=True)


def begin(event: Event, context: LambdaContext) -> None:
    """Give every line of this request its ids, and none of the last request's."""
    log.clear_state()
    log.append_keys(
        request_id=event.request_id,
        function_request_id=getattr(context, "aws_request_id", None),
        route=f"{event.method} {event.resource}",
    )


def begin_work(context: LambdaContext) -> None:
    """Give every line of an invocation that answers nobody its id, and none of the last one's."""
    log.clear_state()
    log.append_keys(function_request_id=getattr(context, "aws_request_id", None))


def note(error: Exception) -> None:
    """Write down why a request was not served: a refusal, a failed dependency or a defect."""
    if isinstance(error, UnavailableError):
        log.error("dependency failed", dependency=error.dependency, exc_info=error)
    elif isinstance(error, VestibuleError):
        log.info("refused", code=error.code)
    else:
        log.error("unexpected error", exc_info=error)


def about(**ids: str | None) -> None:
    """Add ids (``account_id``, ``client_id``, ``user_id``) to the lines that follow."""
    log.append_keys(**{name: value for name, value in ids.items() if value})
