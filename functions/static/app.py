"""``/static/{file}``: the pages' scripts, kept by browsers for a year under their hash."""

from typing import TYPE_CHECKING, Any

from vestibule.http.event import Event
from vestibule.http.pages.assets import respond

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(raw: dict[str, Any], _: "LambdaContext") -> dict[str, Any]:
    """Answer a request for one file."""
    event = Event(raw)
    answer = respond(event.path_values.get("file", ""))
    return answer | {"body": ""} if event.method == "HEAD" else answer
