"""SecureVideo's API as a portal's programmer calls it: the vendor's paths, another base URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.support.portal import Web

BASE_PATH = "/securevideo"

HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-cache",
    "pragma": "no-cache",
    "expires": "-1",
}
FROM_THE_GATEWAY = {"date", "content-length", "x-amzn-requestid", "x-amz-request-id", "x-amzn-errortype"}
"""What API Gateway puts beside a function's headers."""


@dataclass(frozen=True)
class SecureVideo:
    """The dialect with some credentials: `SecureVideo(portal.api)`.

    Attributes
    ----------
    web
        HTTP to the API's host, with the credentials.
    """

    web: Web

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send a request; further arguments are httpx's."""
        return self.web.request(method, BASE_PATH + path, **arguments)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a GET."""
        return self.request("GET", path, **arguments)

    def put(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a PUT."""
        return self.request("PUT", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a POST."""
        return self.request("POST", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a DELETE."""
        return self.request("DELETE", path, **arguments)


def headers_of(answer: httpx.Response) -> dict[str, str]:
    """Give the headers that the function itself set."""
    return {name: value for name, value in answer.headers.items() if name not in FROM_THE_GATEWAY}


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Give status and body of a refusal, whose headers are those of every answer."""
    own = {name: value for name, value in headers_of(answer).items() if name not in {"www-authenticate", "retry-after"}}
    assert own == HEADERS
    return answer.status_code, answer.text
