"""OnSync's API as a portal's programmer calls it: the vendor's paths and bodies, another base URL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.support.portal import Portal, Web


@dataclass(frozen=True)
class OnSync:
    """The dialect with some credentials: `OnSync.of(portal)`.

    Attributes
    ----------
    account
        What stands in the path for the account.
    """

    web: Web
    account: str

    @classmethod
    def of(cls, portal: Portal) -> OnSync:
        """Give an account's API with its first client's credentials."""
        return cls(portal.api, portal.account.slug)

    def request(self, method: str, path: str, *, version: int = 1, **arguments: Any) -> httpx.Response:
        """Send a request; further arguments are httpx's."""
        return self.web.request(method, f"/onsync/api/{version}/{self.account}{path}", **arguments)

    def call(self, method: str, path: str, version: int = 1, /, **parameters: Any) -> httpx.Response:
        """Send parameters as the vendor's clients do, and ask for JSON at the path's end."""
        arguments: dict[str, Any] = {"content": raw(parameters), "headers": FORM} if parameters else {}
        return self.request(method, f"{path}/format/json", version=version, **arguments)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def raw(parameters: dict[str, Any]) -> bytes:
    """Give the vendor's body: the JSON as it is, not percent-encoded."""
    return b"input_type=json&rest_data=" + json.dumps(parameters, ensure_ascii=False).encode()
