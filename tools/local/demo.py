"""The demo account of the local stack: made by the first `make run`, kept by every further one.

The invariant: what `stack.json` holds works. An account that is still there is used again, a noted secret that
still proves its client is kept, and only one that does not is replaced.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tools.operate import local_site
from vestibule.domain import scopes
from vestibule.errors import UnauthenticatedError
from vestibule.model import Status

if TYPE_CHECKING:
    from pathlib import Path

    from tools.local.stack import Stack
    from vestibule.model import Account
    from vestibule.wiring import House

NAME = "Lakeside Clinic"
SLUG = "lakeside"
PORTAL = "https://portal.lakeside.example"
"""The clinic's own site. Nobody has this name (RFC 2606): where it is named, a real portal would answer."""
CLIENT_NAME = "demo portal"

STACK_FILE = "stack.json"
CURL_FILE = "demo.curl"
_OWNER_ONLY = 0o600


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The demo account and its API client.

    Attributes
    ----------
    client_secret
        The client's secret in clear.
    is_new_account, is_new_secret
        What was not there before this run.
    """

    account_id: str
    hub_url: str
    client_id: str
    client_secret: str = field(repr=False)
    is_new_account: bool
    is_new_secret: bool


def ready(stack: Stack, folder: Path) -> Demo:
    """Find the demo account or create it, and note it where other programs look for it.

    Parameters
    ----------
    stack
        A deployed stack.
    folder
        Where `stack.json` and curl's settings are kept.
    """
    house = local_site(stack).house
    noted = _noted(folder)
    account = _find(house, noted)
    is_new_account = account is None
    if account is None:
        account = house.accounts.create(NAME, SLUG, {"redirect_uris": [PORTAL], "portal_url": PORTAL})
    else:
        account = _mend(house, account)
    hub_url = stack.register_hub_host(account.slug)
    client_id, secret, is_new_secret = _client(house, account.account_id, noted)
    demo = Demo(
        account_id=account.account_id,
        hub_url=hub_url,
        client_id=client_id,
        client_secret=secret,
        is_new_account=is_new_account,
        is_new_secret=is_new_secret,
    )
    _note(stack, demo, folder)
    return demo


def forget(folder: Path) -> None:
    """Remove what told of a stack that is gone."""
    for name in (STACK_FILE, CURL_FILE):
        (folder / name).unlink(missing_ok=True)


def _find(house: House, noted: dict[str, Any]) -> Account | None:
    """Return the account: the noted one under whatever slug, else the one of the demo's slug."""
    accounts = house.accounts.all()
    by_id = (account for account in accounts if account.account_id == noted.get("account_id"))
    by_slug = (account for account in accounts if account.slug == SLUG)
    return next(by_id, None) or next(by_slug, None)


def _mend(house: House, account: Account) -> Account:
    """Undo what somebody tried out that the walk could not do without."""
    if account.status is not Status.ACTIVE:
        account = house.accounts.set_status(account.account_id, Status.ACTIVE, house.client_store)
    if PORTAL in account.redirect_uris and account.revoke_ends_sign_in:
        return account
    redirect_uris = list(dict.fromkeys([*account.redirect_uris, PORTAL]))
    return house.accounts.change(account.account_id, {"redirect_uris": redirect_uris, "revoke_ends_sign_in": True})


def _client(house: House, account_id: str, noted: dict[str, Any]) -> tuple[str, str, bool]:
    """Return client_id, secret and whether the secret is new."""
    client_id, secret = str(noted.get("client_id", "")), str(noted.get("client_secret", ""))
    try:
        if house.clients.authenticate(client_id, secret).account_id == account_id:
            return client_id, secret, False
    except UnauthenticatedError:
        pass
    mine = next((one for one in house.clients.list_of(account_id) if one.name == CLIENT_NAME), None)
    if mine is None:
        client, secret = house.clients.create(account_id, CLIENT_NAME, scopes.ALL)
    else:
        client, secret = house.clients.rotate(account_id, mine.client_id)
    return client.client_id, secret, True


def _noted(folder: Path) -> dict[str, Any]:
    try:
        noted = json.loads((folder / STACK_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _note(stack: Stack, demo: Demo, folder: Path) -> None:
    document = {
        "api_url": stack.api_url,
        "hub_url": demo.hub_url,
        "live_url": None,  # there is no WebSocket API yet
        "emulator_url": stack.emulator_url,
        "account_id": demo.account_id,
        "client_id": demo.client_id,
        "client_secret": demo.client_secret,
    }
    _write(folder / STACK_FILE, json.dumps(document, indent=2) + "\n")
    # So that a command line, and with it a shell's history, needs no secret: curl -K .local/demo.curl
    settings = f'user = "{demo.client_id}:{demo.client_secret}"\nheader = "Content-Type: application/json"\n'
    _write(folder / CURL_FILE, settings)


def _write(path: Path, text: str) -> None:
    path.touch(mode=_OWNER_ONLY)
    path.write_text(text)
