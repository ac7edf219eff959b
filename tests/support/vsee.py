"""VSee Clinic's API as a portal's programmer calls it: the vendor's headers and paths, another base URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.support.portal import Portal

API = "/vsee/api_v3"


@dataclass(frozen=True)
class Vsee:
    """The dialect for one account: `Vsee(portal)`.

    Attributes
    ----------
    portal
        Whose account it is; X-AccountCode is its slug.
    """

    portal: Portal

    @property
    def account_code(self) -> dict[str, str]:
        """The header that every request carries, and public reads alone."""
        return {"X-AccountCode": self.portal.account.slug}

    @property
    def key(self) -> dict[str, str]:
        """The headers of a server's own calls."""
        return {**self.account_code, "X-ApiKey": self.portal.client_id, "X-ApiSecret": self.portal.client_secret}

    def token(self, token: str) -> dict[str, str]:
        """Give the headers of a call with a user's or the admin's token."""
        return {**self.account_code, "X-ApiToken": token}

    def request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, api: str = API, **arguments: Any
    ) -> httpx.Response:
        """Send a request, with the server's key unless other headers are given; noting the token that it answers."""
        own = self.key if headers is None else headers
        more = arguments.pop("more_headers", {})
        answer = self.portal.anonymous().request(method, api + path, headers=own | more, **arguments)
        document = answer.json() if answer.status_code == httpx.codes.OK else {}
        token = document.get("data", {}).get("token", {}) if isinstance(document.get("data"), dict) else {}
        if token:
            self.portal.handed_out.note("SSO token", token["token"])
            self.portal.handed_out.note("refresh token", token["refresh_token"]["token"])
        return answer

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a GET that names the account alone, as the vendor's public reads are."""
        return self.request("GET", path, headers=self.account_code, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a POST."""
        return self.request("POST", path, **arguments)

    def sso(self, **fields: Any) -> dict[str, Any]:
        """Create or find a user, a provider unless told otherwise; give the answer's data."""
        known = {"first_name": "John", "last_name": "Provider", "type": 400, "code": "cd978112"}
        answer = self.post("/users/sso", json=known | fields)
        assert answer.status_code == httpx.codes.OK, answer.text
        return dict(answer.json()["data"])
