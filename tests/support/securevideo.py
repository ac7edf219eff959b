"""SecureVideo's API as a portal's programmer calls it: the vendor's paths, another base URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.support.portal import Web

BASE_PATH = "/securevideo"


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

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a POST."""
        return self.request("POST", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a DELETE."""
        return self.request("DELETE", path, **arguments)
