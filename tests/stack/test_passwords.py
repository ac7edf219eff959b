"""Signing in by password on the real stack: how it goes, and that guessing all at once gains nothing."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support.crowd import at_once
from tests.support.portal import COOKIE, cookie_of
from vestibule.domain.guesses import PASSWORDS_FROM_NETWORK, PASSWORDS_OF_USER, network_of

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

    from tests.support.portal import Portal

PASSWORD = "correct horse battery staple"
GUESSES = 24
AT_ONCE = 4
"""Each guess is a password's worth of work; on two cores more of them would run into the functions' time limit."""
HERE = "127.0.0.1"


@pytest.fixture(autouse=True)
def _fresh_address(portal: Portal) -> Generator[None]:
    """Give the tests that share this machine's address all of its tries, before and afterwards."""
    portal.house.guesses.lift(PASSWORDS_FROM_NETWORK, network_of(HERE))
    yield
    portal.house.guesses.lift(PASSWORDS_FROM_NETWORK, network_of(HERE))


class Form:
    """The sign-in page's form, open in a browser."""

    def __init__(self, portal: Portal, address: str = "/sign-in") -> None:
        self._portal = portal
        self._address = address
        page = portal.hub.get(address)
        assert page.status_code == 200
        (self._cookie,) = page.headers.get_list("set-cookie")
        (self._token,) = re.findall(r'name="form_token" value="([^"]+)"', page.text)

    def send(self, name: str, password: str) -> httpx.Response:
        """Fill it in and send it."""
        return self._portal.hub.post(
            self._address,
            data={"form_token": self._token, "name": name, "password": password},
            headers={"Cookie": self._cookie.partition(";")[0], "Sec-Fetch-Site": "same-origin"},
        )


@pytest.mark.req("L17", "L15", "L13")
def test_a_wrong_and_then_the_right_password(portal: Portal) -> None:
    # given
    user = portal.create_user(username="ada", email="ada@example.org", password=PASSWORD)
    asked = portal.follow("/dashboard?scrollTo=22222222&launch=1")
    form = Form(portal, asked.headers["location"])
    # when
    wrong = form.send("ada", "not this one")
    right = form.send("ADA@example.org", PASSWORD)
    # then
    assert wrong.status_code == 403
    assert cookie_of(wrong) is None
    assert right.status_code == 303
    assert right.headers["location"] == "/dashboard?scrollTo=22222222&launch=1"
    cookie = cookie_of(right)
    assert cookie is not None
    assert portal.is_signed_in(cookie)
    # and the portal may end it, or take the password away
    portal.api.delete(f"/v1/users/{user['id']}/sign-ins")
    assert not portal.is_signed_in(cookie)
    assert portal.api.patch(f"/v1/users/{user['id']}", json={"password": None}).status_code == 200
    assert form.send("ada", PASSWORD).status_code == 403


@pytest.mark.req("L17")
def test_guesses_that_come_all_at_once_get_no_more_tries_than_allowed(portal: Portal) -> None:
    # given
    user = portal.create_user(username="ada", password=PASSWORD)
    form = Form(portal)
    # when
    answers = at_once(lambda number: form.send("ada", f"guess number {number}"), range(GUESSES), threads=AT_ONCE)
    # then
    assert Counter(answer.status_code for answer in answers) == {
        403: PASSWORDS_OF_USER.most,
        429: GUESSES - PASSWORDS_OF_USER.most,
    }
    # and now not even the right one is looked at, until an operator says so
    assert form.send("ada", PASSWORD).status_code == 429
    portal.house.guesses.lift(PASSWORDS_OF_USER, portal.account_id, user["id"])
    assert form.send("ada", PASSWORD).status_code == 303


@pytest.mark.req("L19")
def test_a_form_of_another_site_signs_nobody_in(portal: Portal) -> None:
    portal.create_user(username="ada", password=PASSWORD)
    body = f"form_token=x&name=ada&password={quote(PASSWORD)}"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"{COOKIE}-form={'0' * 32}"}
        answer = portal.hub.post("/sign-in", content=body, headers=headers)
        assert answer.status_code == 403
        assert cookie_of(answer) is None
