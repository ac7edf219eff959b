"""Sequel's API as a portal's programmer calls it: the vendor's paths and a token, another base URL."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.support.portal import Portal

API = "/sequel/api"


@dataclass(frozen=True)
class Sequel:
    """The dialect for one account: `Sequel(portal)`.

    Attributes
    ----------
    portal
        Whose account it is.
    """

    portal: Portal

    @cached_property
    def token(self) -> str:
        """An access token, had as the vendor's clients have theirs."""
        answer = self.ask_for_a_token()
        assert answer.status_code == httpx.codes.OK, answer.text
        return str(answer.json()["access_token"])

    def ask_for_a_token(self, **changed: Any) -> httpx.Response:
        """Send the token request, with other members if any are given; None leaves one out."""
        body = {
            "client_id": self.portal.client_id,
            "client_secret": self.portal.client_secret,
            "audience": "https://www.introvoke.com/api",
            "grant_type": "client_credentials",
        } | changed
        return self.request(
            "POST", "/oauth/token", headers={}, json={name: value for name, value in body.items() if value is not None}
        )

    def request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, api: str = API, **arguments: Any
    ) -> httpx.Response:
        """Send a request, with a token unless other headers are given, and note what the answer lets people do."""
        own = {"Authorization": f"Bearer {self.token}"} if headers is None else headers
        more = arguments.pop("more_headers", {})
        answer = self.portal.anonymous().request(method, api + path, headers=own | more, **arguments)
        if answer.status_code == httpx.codes.OK and "json" in answer.headers.get("content-type", ""):
            self._note(answer.json())
        return answer

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a GET."""
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a POST."""
        return self.request("POST", path, **arguments)

    def put(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a PUT."""
        return self.request("PUT", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a DELETE."""
        return self.request("DELETE", path, **arguments)

    def event(self, **members: Any) -> dict[str, Any]:
        """Create an event; give the answer."""
        known = {
            "companyId": self.portal.client_id,
            "name": "Spring webinar",
            "startDate": "2099-05-05T10:00:00Z",
            "endDate": "2099-05-05T11:30:00Z",
            "timezone": "America/New_York",
            "type": "Virtual",
        }
        answer = self.post("/v1/event/create", json=known | members)
        assert answer.status_code == httpx.codes.OK, answer.text
        return dict(answer.json())

    def embed_url(self, event_id: str, **who: Any) -> str:
        """Fetch the iframe's address for somebody."""
        answer = self.post(f"/v1/event/{event_id}/embedCode", json=who)
        assert answer.status_code == httpx.codes.OK, answer.text
        return str(answer.json())

    def register(self, event_id: str, **members: Any) -> dict[str, Any]:
        """Register somebody; give the answer."""
        answer = self.post(f"/v1/event/{event_id}/registrant", json=members)
        assert answer.status_code == httpx.codes.OK, answer.text
        return dict(answer.json())

    def _note(self, document: Any) -> None:
        if isinstance(document, str):
            self.portal.handed_out.note("embed token", document.partition("#token=")[2])
        for one in document if isinstance(document, list) else [document]:
            if isinstance(one, dict) and isinstance(one.get("join_url"), str):
                self.portal.handed_out.note("join_url", one["join_url"], one["join_url"].rpartition("/")[2])
