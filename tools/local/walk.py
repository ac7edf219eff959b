"""The main job, step by step, as a person would like to read it.

Two invariants. What is printed happened: each step is a request to the running stack, and an answer other than
the expected one ends the walk with an error. And whatever lets somebody in is printed shortened, wherever it
stands, but for the secret of a new client, which is shown the one time that there is.
"""

from __future__ import annotations

import html
import http
import json
import re
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from tools.local import demo as demo_account
from tools.local import paths
from tools.local.console import LocalError, say
from tools.local.loopback import loopback_client
from tools.local.stack import DOMAIN
from vestibule.errors import VestibuleError
from vestibule.http.hub.visit import COOKIE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tools.local.demo import Demo
    from tools.local.stack import Stack

PERSON = "Ada Lovelace"
EXTERNAL_ID = "mrn-1001"
AFTERWARDS = f"{demo_account.PORTAL}/welcome-back"
GUEST, GUESTS_ADDRESS = "Charles Babbage", "charles@lakeside.example"
MAILS = "/_ministack/ses/messages"

_HER_BROWSER = "Mozilla/5.0 (her laptop)"
_ANOTHER_BROWSER = "Mozilla/5.0 (somebody else's phone)"
_SHOWN = 8  # characters of a secret: enough to see that it is the same one again
_SHOWN_OF_AN_ANSWER = 400  # characters of one that was not expected
_LONGEST_FOR_A_MAIL = 60  # seconds; two workers may have to start first
_BETWEEN_LOOKS = 0.3  # seconds


def walk(stack: Stack, folder: Path = paths.LOCAL) -> None:
    """Make the demo account ready, walk the main job with it, and say how to go on.

    Parameters
    ----------
    stack
        A deployed stack.
    folder
        Where `stack.json` is written.

    Raises
    ------
    LocalError
        A step did not end as it must.
    """
    try:
        demo = demo_account.ready(stack, folder)
        with loopback_client() as client:
            _Walk(stack, demo, client).all_steps()
    except VestibuleError as error:
        raise LocalError(f"the demo account: {error.detail}") from error
    _say_how_to_go_on(stack, demo)


class _Walk:
    """One walk: what was learnt on the way, and how it is printed.

    Parameters
    ----------
    stack
        Where the requests go.
    demo
        Who makes the portal's requests.
    client
        Follows no redirect and keeps no cookie: that is what is shown.
    """

    def __init__(self, stack: Stack, demo: Demo, client: httpx.Client) -> None:
        self._stack = stack
        self._demo = demo
        self._client = client
        self._heading = ""
        self._number = 0
        self._shortened: dict[str, str] = {}
        self._bearer: dict[str, str] = {}
        self._user_id = ""
        self._login: dict[str, Any] = {}
        self._cookie = ""
        self._link = ""

    def all_steps(self) -> None:
        """Walk from the operator's command to the vendor's client."""
        self._have_account()
        self._keep_secret(self._demo.client_secret)
        self._get_token()
        self._have_user()
        self._issue()
        self._follow()
        self._see_dashboard()
        self._refuse_another_browser()
        self._see_state()
        self._revoke()
        self._come_too_late()
        self._plan_a_session()
        self._see_the_mail()
        self._come_with_a_vendors_client()

    # --- the steps ----------------------------------------------------------------------------------------

    def _have_account(self) -> None:
        demo = self._demo
        if demo.is_new_account:
            self._step(f"An operator makes an account with an API client for a portal, {demo_account.NAME}.")
        else:
            self._step(f"The account of {demo_account.NAME} is still there from an earlier run.")
        secret = f"{demo.client_secret}   (shown this once)" if demo.is_new_secret else _short(demo.client_secret)
        self._show(
            {
                "account": demo.account_id,
                "its hub": demo.hub_url,
                "client_id": demo.client_id,
                "client_secret": secret,
            }
        )

    def _get_token(self) -> None:
        self._step("The portal proves itself and gets an access token.")
        answer = self._ask(
            "POST",
            f"{self._stack.api_url}/v1/oauth/token",
            headers=self._basic(),
            form="grant_type=client_credentials",
            expect=200,
        )
        token = answer.json()["access_token"]
        self._keep_secret(token)
        self._bearer = {"Authorization": f"Bearer {token}"}
        self._show_members(answer, "access_token", "token_type", "expires_in")

    def _have_user(self) -> None:
        self._step(f"It knows its own user as {EXTERNAL_ID}. Does Vestibule know her too?")
        users = f"{self._stack.api_url}/v1/users"
        answer = self._ask("GET", f"{users}?external_id={EXTERNAL_ID}", headers=self._bearer, expect=200)
        found = answer.json()["items"]
        self._show({"items": json.dumps([user["id"] for user in found])})
        if not found:
            self._step("Not yet, so it registers her.")
            who = {"full_name": PERSON, "external_id": EXTERNAL_ID, "role": "member"}
            answer = self._ask("POST", users, headers=self._bearer, body=who, expect=201)
            found = [answer.json()]
            self._show_members(answer, "id", "full_name", "external_id", "status")
        self._user_id = found[0]["id"]

    def _issue(self) -> None:
        self._step("She clicks on her session in the portal. The portal asks for a login URI: once, for 15 seconds.")
        self._login = self._ask(
            "POST",
            f"{self._stack.api_url}/v1/login-uris",
            headers=self._bearer,
            body={"external_id": EXTERNAL_ID, "redirect_to_uri_on_expiry": AFTERWARDS},
            expect=201,
        ).json()
        self._keep_secret(self._login["login_guid"])
        self._show({name: self._login[name] for name in ("login_uri", "user_id", "expires_at")})

    def _follow(self) -> None:
        self._step("The portal sends her browser there. It is let in, and the link is used up.")
        answer = self._browse(self._login["login_uri"], expect=303)
        cookie = answer.headers.get("Set-Cookie", "")
        value = cookie.removeprefix(f"{COOKIE}=").partition(";")[0]
        self._demand(cookie.startswith(f"{COOKIE}=") and bool(value), "it should set the sign-in cookie")
        self._keep_secret(value)
        self._cookie = f"{COOKIE}={value}"
        self._show({"Location": answer.headers.get("Location", ""), "Set-Cookie": cookie})
        self._demand(answer.headers.get("Location", "") == "/dashboard", "it should lead to the dashboard")

    def _see_dashboard(self) -> None:
        self._step("There she is.")
        answer = self._browse(f"{self._demo.hub_url}/dashboard", cookie=self._cookie, expect=200)
        greeting = _heading_of(answer)
        self._show({"the page says": greeting})
        self._demand(PERSON in greeting, f"it should greet {PERSON}")

    def _refuse_another_browser(self) -> None:
        self._step("Somebody else has seen the link, and tries it too.")
        answer = self._browse(self._login["login_uri"], browser=_ANOTHER_BROWSER, expect=403)
        self._show({"the page says": _heading_of(answer)})
        self._demand("Set-Cookie" not in answer.headers, "it should set no cookie")

    def _see_state(self) -> None:
        self._step("The portal looks what became of its login URI.")
        answer = self._ask("GET", self._login_address(), headers=self._bearer, expect=200)
        self._show_members(answer, "state", "redeemed_at", "idle_until", "live_until")
        self._demand(answer.json()["state"] == "redeemed", "its state should be redeemed")

    def _revoke(self) -> None:
        self._step("She signs out of the portal, and the portal withdraws the login.")
        self._ask("DELETE", self._login_address(), headers=self._bearer, expect=204)

    def _come_too_late(self) -> None:
        self._step("Her sign-in at the hub is over from the next request on: back to where the portal said.")
        answer = self._browse(f"{self._demo.hub_url}/dashboard", cookie=self._cookie, expect=303)
        self._show({"Location": answer.headers.get("Location", "")})
        self._demand(answer.headers.get("Location", "") == AFTERWARDS, f"it should lead to {AFTERWARDS}")

    def _plan_a_session(self) -> None:
        self._step("The portal plans a session with her as the host, and has a guest invited by mail.")
        tomorrow = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        answer = self._ask(
            "POST",
            f"{self._stack.api_url}/v1/sessions",
            headers=self._bearer,
            body={
                "title": "Consultation",
                "host": {"external_id": EXTERNAL_ID},
                "starts_at": tomorrow.isoformat(),
                "duration_minutes": 30,
                "participants": [{"full_name": GUEST, "email": GUESTS_ADDRESS, "notify": "email"}],
            },
            expect=201,
        )
        guest = answer.json()["participants"][1]
        self._link = guest["personal_link"]
        self._keep_secret(self._link.rpartition("-")[2])
        self._show_members(answer, "id", "session_link")
        self._show({f"of {GUEST}": f"connect code {guest['connect_code']}, letter {guest['delivery']['state']}"})

    def _see_the_mail(self) -> None:
        self._step("The mail follows from that write: stream, queue, worker, SES.")
        mail = self._mail_with(self._link)
        self._show({"To": mail["To"][0], "Subject": mail["Subject"], "it holds": self._link})

    def _mail_with(self, text: str) -> dict[str, Any]:
        """Wait for the mail that holds a text."""
        patience = time.monotonic() + _LONGEST_FOR_A_MAIL
        while time.monotonic() < patience:
            mails = self._client.get(f"{self._stack.emulator_url}{MAILS}").json()["messages"]
            for mail in (one for account in mails.values() for one in account):
                if text in mail["BodyText"]:
                    return dict(mail)
            time.sleep(_BETWEEN_LOOKS)
        raise LocalError(f"{self._heading} No mail came within {_LONGEST_FOR_A_MAIL} s; see the mailer's log")

    def _come_with_a_vendors_client(self) -> None:
        self._step("A portal that was written for SecureVideo needs another base address, and the same credentials.")
        answer = self._ask(
            "POST",
            f"{self._stack.api_url}/securevideo/login/{self._user_id}",
            headers=self._basic(),
            body={"RedirectToUriOnExpiry": AFTERWARDS},
            expect=201,
        )
        self._keep_secret(answer.json()["LoginGuid"])
        self._show_members(answer, "LoginGuid", "RedirectToUriOnExpiry", "LoginUri")
        self._step("Its link signs her in like any other.")
        arrived = self._browse(answer.json()["LoginUri"], expect=303)
        self._show({"Location": arrived.headers.get("Location", "")})

    # --- requests, and what is printed of them ------------------------------------------------------------

    def _step(self, heading: str) -> None:
        self._number += 1
        self._heading = heading
        say(f"\n{self._number}. {heading}")

    def _browse(
        self, url: str, *, expect: int, cookie: str | None = None, browser: str = _HER_BROWSER
    ) -> httpx.Response:
        headers = {"User-Agent": browser} | ({"Cookie": cookie} if cookie else {})
        return self._ask("GET", url, headers=headers, expect=expect)

    def _ask(
        self,
        method: str,
        url: str,
        *,
        expect: int,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        form: str | None = None,
    ) -> httpx.Response:
        """Make a request, print it and the answer's status; any other status than the expected one is the end."""
        content = form if body is None else json.dumps(body)
        self._print("->", f"{method} {url}", *(f"{name}: {value}" for name, value in headers.items()), content)
        kind = "application/x-www-form-urlencoded" if body is None else "application/json"
        sent = {**headers, **({} if content is None else {"Content-Type": kind})}
        try:
            answer = self._client.request(method, url, headers=sent, content=content)
        except httpx.TransportError as error:
            raise LocalError(f"step {self._number} ({self._heading}) got no answer: {error!r}") from error
        self._print("<-", f"{answer.status_code} {http.HTTPStatus(answer.status_code).phrase}")
        self._demand(
            answer.status_code == expect,
            f"the answer should be {expect}, and was {answer.status_code}"
            + (f": {answer.text[:_SHOWN_OF_AN_ANSWER]}" if answer.is_error else ""),
        )
        return answer

    def _demand(self, is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
        if not is_so:
            raise LocalError(self._safe(f"step {self._number} ({self._heading}) failed: {otherwise}"))

    def _show_members(self, answer: httpx.Response, *names: str) -> None:
        self._show({name: answer.json()[name] for name in names})

    def _show(self, values: Mapping[str, object]) -> None:
        width = max(map(len, values))
        for name, value in values.items():
            say(self._safe(f"      {name:<{width}}  {value}"))

    def _print(self, arrow: str, first: str, *more: str | None) -> None:
        say(self._safe(f"   {arrow} {first}"))
        for line in more:
            if line:
                say(self._safe(f"      {line}"))

    def _basic(self) -> dict[str, str]:
        proof = b64encode(f"{self._demo.client_id}:{self._demo.client_secret}".encode()).decode()
        self._shortened[proof] = "base64(client_id:client_secret)"
        return {"Authorization": f"Basic {proof}"}

    def _login_address(self) -> str:
        return f"{self._stack.api_url}/v1/login-uris/{self._login['login_guid']}"

    def _keep_secret(self, secret: str) -> None:
        self._shortened[secret] = _short(secret)

    def _safe(self, text: str) -> str:
        for secret, shortened in self._shortened.items():
            text = text.replace(secret, shortened)
        return text


def _short(secret: str) -> str:
    return f"{secret[:_SHOWN]}..."


def _heading_of(page: httpx.Response) -> str:
    """Return the text of a page's main heading."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])).strip() if found else "(no heading)"


def _say_how_to_go_on(stack: Stack, demo: Demo) -> None:
    """Print what to click and what to type next."""
    link = (
        f'curl -s -K .local/{demo_account.CURL_FILE} -d \'{{"external_id": "{EXTERNAL_ID}"}}\' '
        f'{stack.api_url}/v1/login-uris | sed \'s/.*"login_uri": *"\\([^"]*\\)".*/\\1/\''
    )
    say(
        f"""
All of it happened as it should. The stack stays up until `make stop`.

   the clinic's hub      {demo.hub_url}/
   the way for the lost  http://hub.{DOMAIN}:{stack.port}/
   the signing keys      {stack.api_url}/.well-known/jwks.json
   mails that were sent  {stack.emulator_url}{MAILS}
   text messages         {stack.emulator_url}/_ministack/sns/sms-messages

A login link lives for 15 seconds: print a fresh one, and open it in a browser at once.

   {link}

Addresses and the clinic's credentials are in .local/stack.json. README.md goes on from here."""
    )
