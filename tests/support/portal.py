"""A portal's company on the test stack, its API calls and its visitors' browsers; and what all of them were told.

The invariant: every secret that the stack hands out through these helpers is noted in `handed_out`, so that the
last test of the session can look for each of them in whatever the stack has written down.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tools.local import gaps
from tools.local.loopback import loopback_client
from tools.operate import local_site
from vestibule.domain import scopes as all_scopes

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from mypy_boto3_apigateway import APIGatewayClient

    from tools.local import Stack
    from vestibule.model import Account
    from vestibule.wiring import House

COOKIE = "__Host-vestibule"
PORTAL_URL = "http://portal.localhost:8000"
"""Where the test portals' visitors come from; the one entry of their redirect_uris."""

_SHOWN_ONCE = ("client_secret", "app_secret", "access_token", "token", "join_url", "login_guid", "LoginGuid")
"""Members of the API's answers that let somebody in."""
_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_SHORTEST_SECRET = 12
"""Characters: what is shorter is made up by a test to be refused, and would be found by chance."""


class HandedOut:
    """Every secret that was handed out, or handed in, during the test session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[str, str] = {}

    def note(self, kind: str, *secrets: str) -> None:
        """Remember secrets; `kind` says what they are, such as `client secret`."""
        with self._lock:
            for secret in secrets:
                if len(secret) >= _SHORTEST_SECRET:
                    self._kinds.setdefault(secret, kind)

    def note_cookie(self, value: str) -> None:
        """Remember a sign-in cookie: the whole and its secret, not the ids in it."""
        self.note("sign-in cookie", value)
        self.note("sign-in secret", value.rpartition(".")[2])

    def note_answer(self, answer: httpx.Response) -> None:
        """Remember what one request and its answer hold: an httpx response hook."""
        answer.read()
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            self.note("credentials", answer.request.headers.get("authorization", "").rpartition(" ")[2])
        for document in (_json_of(answer.request.headers, _sent(answer)), _json_of(answer.headers, answer.content)):
            for name in (*_SHOWN_ONCE, "password"):
                if isinstance(secret := document.get(name), str):
                    self.note(name.replace("_", " "), secret)
        if value := cookie_of(answer):
            self.note_cookie(value)
        if "html" in answer.headers.get("content-type", ""):
            self.note("form token", *_FORM_TOKEN.findall(answer.text))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Give each secret and its kind."""
        with self._lock:
            return iter(list(self._kinds.items()))

    def __len__(self) -> int:
        """Tell how many secrets there are."""
        return len(self._kinds)


class Web:
    """HTTP to one address of the stack, with or without credentials; safe for threads.

    It follows no redirect and keeps no cookie: what a browser would do by itself is for the test to do.

    Parameters
    ----------
    client
        What sends the requests.
    base_url
        What a path is put behind.
    auth
        Basic credentials (client_id and secret), a bearer token, or None for nothing.
    """

    def __init__(self, client: httpx.Client, base_url: str, auth: tuple[str, str] | str | None = None) -> None:
        self._client = client
        self.base_url = base_url
        self._auth = httpx.BasicAuth(*auth) if isinstance(auth, tuple) else None
        self._headers = {"Authorization": f"Bearer {auth}"} if isinstance(auth, str) else {}

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send a request; `path` may be a whole address, further arguments are httpx's."""
        address = path if path.startswith("http") else self.base_url + path
        arguments["headers"] = {**self._headers, **(arguments.get("headers") or {})}
        arguments.setdefault("auth", self._auth)
        return self._client.request(method, address, **arguments)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a GET."""
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a POST."""
        return self.request("POST", path, **arguments)

    def patch(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a PATCH."""
        return self.request("PATCH", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> httpx.Response:
        """Send a DELETE."""
        return self.request("DELETE", path, **arguments)


@dataclass(frozen=True)
class Portal:
    """One account of the stack, as its portal's programmer and its visitors see it.

    Attributes
    ----------
    account
        The account as it was made.
    client_id, client_secret
        Its first API client, with every scope.
    api
        The native API with that client's Basic credentials.
    hub
        The account's hub without a cookie: `hub.get("/dashboard", headers=cookie_header(value))`.
    house
        The product's own rooms over the stack's tables, for what no route does.
    """

    account: Account
    client_id: str
    client_secret: str = field(repr=False)
    api: Web = field(repr=False)
    hub: Web = field(repr=False)
    house: House = field(repr=False)
    handed_out: HandedOut = field(repr=False)
    _client: httpx.Client = field(repr=False)

    @property
    def account_id(self) -> str:
        """The account's id."""
        return self.account.account_id

    @property
    def hub_url(self) -> str:
        """The account's hub, without a slash at the end."""
        return self.hub.base_url

    def anonymous(self) -> Web:
        """Give the native API without credentials."""
        return Web(self._client, self.api.base_url)

    def basic(self, client_id: str, secret: str) -> Web:
        """Give the native API with another client's credentials."""
        return Web(self._client, self.api.base_url, (client_id, secret))

    def bearer(self, token: str | None = None) -> Web:
        """Give the native API with a bearer token, a new one when none is given."""
        return Web(self._client, self.api.base_url, token or self.access_token())

    def access_token(self, **parameters: str) -> str:
        """Fetch an access token with the first client's credentials."""
        form = {"grant_type": "client_credentials", **parameters}
        answer = self.api.post("/v1/oauth/token", data=form)
        assert answer.status_code == httpx.codes.OK, answer.text
        return str(answer.json()["access_token"])

    def create_client(self, *scopes: str) -> tuple[str, str]:
        """Make a further API client with some scopes, or all; give its id and secret."""
        client, secret = self.house.clients.create(self.account_id, "further client", scopes or all_scopes.ALL)
        self.handed_out.note("client secret", secret)
        return client.client_id, secret

    def create_user(self, **fields: Any) -> dict[str, Any]:
        """Create a user over the API; give what it answered."""
        answer = self.api.post("/v1/users", json={"full_name": "Ada Lovelace", **fields})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return dict(answer.json())

    def issue(self, user_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """Issue a login URI over the API, for a new user unless one is named; give what it answered."""
        if user_id is None and "external_id" not in fields:
            user_id = self.create_user()["id"]
        who = {} if user_id is None else {"user_id": user_id}
        answer = self.api.post("/v1/login-uris", json={**who, **fields})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return dict(answer.json())

    def issue_login_uri(self, user_id: str | None = None, **fields: Any) -> str:
        """Issue a login URI as `issue` does; give the URI alone."""
        return str(self.issue(user_id, **fields)["login_uri"])

    def follow(
        self, uri: str, *, cookie: str | None = None, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> httpx.Response:
        """Let a browser open an address or a path of the hub, with its sign-in cookie's value if it has one."""
        return self.hub.request(method, uri, headers={**(headers or {}), **cookie_header(cookie)})

    def sign_in(self, user_id: str | None = None, **fields: Any) -> str:
        """Let a browser arrive with a new login URI; give its sign-in cookie's value."""
        answer = self.follow(self.issue_login_uri(user_id, **fields))
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        value = cookie_of(answer)
        assert value, "redeeming set no cookie"
        return value

    def is_signed_in(self, cookie: str) -> bool:
        """Tell whether a cookie opens the dashboard; whatever else the dashboard says but "no" fails the test."""
        answer = self.follow("/dashboard", cookie=cookie)
        assert answer.status_code in {httpx.codes.OK, httpx.codes.SEE_OTHER}, answer.text
        return answer.status_code == httpx.codes.OK


def cookie_of(answer: httpx.Response) -> str | None:
    """Give the sign-in cookie's value that an answer sets; None when it sets none, or takes it away."""
    for line in answer.headers.get_list("set-cookie"):
        name, _, rest = line.partition("=")
        if name == COOKIE:
            return rest.partition(";")[0] or None
    return None


def cookie_header(value: str | None) -> dict[str, str]:
    """Give the request header that carries a sign-in cookie's value."""
    return {} if value is None else {"Cookie": f"{COOKIE}={value}"}


@pytest.fixture(scope="session")
def handed_out() -> HandedOut:
    """Every secret that the stack handed out in this session."""
    return HandedOut()


@pytest.fixture(scope="session")
def web(handed_out: HandedOut) -> Generator[httpx.Client]:
    """An HTTP client for every host of the stack that notes what it is told in `handed_out`; safe for threads."""
    with loopback_client() as client:
        client.event_hooks = {"response": [handed_out.note_answer]}
        yield client


@pytest.fixture(scope="session")
def stack_house(stack: Stack) -> House:
    """The product's own rooms over the stack's tables, as the operator's command has them."""
    return local_site(stack).house


@pytest.fixture(scope="session")
def _gateway(stack: Stack) -> APIGatewayClient:
    client: APIGatewayClient = stack.client("apigateway")
    return client


@pytest.fixture(scope="session")
def open_portal(
    stack: Stack, stack_house: House, web: httpx.Client, handed_out: HandedOut, _gateway: APIGatewayClient
) -> Callable[..., Portal]:
    """A function that makes an account with one client and its hub host: `open_portal(revoke_on_reuse=True)`."""
    numbers = itertools.count(1)

    def open_one(*, name: str = "Lakeside Clinic", scopes: Sequence[str] = all_scopes.ALL, **settings: Any) -> Portal:
        slug = f"clinic-{next(numbers)}"
        chosen = {"redirect_uris": [PORTAL_URL], "portal_url": f"{PORTAL_URL}/", **settings}
        account = stack_house.accounts.create(name, slug, chosen)
        client, secret = stack_house.clients.create(account.account_id, "first client", scopes)
        handed_out.note("client secret", secret)
        hub_url = stack.hub_url(slug)
        gaps.register_host(
            _gateway, host=httpx.URL(hub_url).host, api_id=stack.outputs["HubApiId"], stage=stack.outputs["HubStage"]
        )
        return Portal(
            account,
            client.client_id,
            secret,
            api=Web(web, stack.api_url, (client.client_id, secret)),
            hub=Web(web, hub_url),
            house=stack_house,
            handed_out=handed_out,
            _client=web,
        )

    return open_one


@pytest.fixture
def portal(open_portal: Callable[..., Portal]) -> Portal:
    """A fresh account of this test's own."""
    return open_portal()


def _sent(answer: httpx.Response) -> bytes:
    try:
        return answer.request.content
    except httpx.RequestNotRead:  # a body that was streamed
        return b""


def _json_of(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Give a JSON object; an empty one for everything else."""
    if not body or "json" not in headers.get("content-type", ""):
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
