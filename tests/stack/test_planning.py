"""What hosts do in the hub when many of their clicks come at once: each thing is done once, and none is lost."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.crowd import at_once
from tests.support.portal import cookie_header
from vestibule.clock import HOUR
from vestibule.domain.participants import Invitee
from vestibule.domain.reminders import AN_HOUR
from vestibule.domain.sessions import Filter, HostRef

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from vestibule.model import Session

# Each comes to a process of its own, which makes its first page: two cores that do more of it at once run out of time.
AT_ONCE = 4
FORM = {
    "title": "Follow-up",
    "day": "2199-06-03",
    "clock": "09:30",
    "minutes": "45",
    "zone": "Europe/Berlin",
    "rows": "1",
    "name-1": "Ben Okafor",
    "email-1": "ben@example.org",
    "role-1": "attendee",
}


class Host:
    """Somebody with a browser at the hub, who hosts."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.user_id = str(portal.create_user(full_name="Dr. Grace Hopper")["id"])
        self._cookie = portal.sign_in(self.user_id)
        self._origin = {"Origin": portal.hub_url, "Sec-Fetch-Site": "same-origin"}

    def form_of(self, path: str) -> dict[str, str]:
        """Open a page; give the hidden fields of its form."""
        page = self.portal.follow(path, cookie=self._cookie)
        assert page.status_code == 200, page.text
        found = re.findall(r'type="hidden" name="(form_token|form_key|version)" value="([^"]*)"', page.text)
        return {name: unescape(value) for name, value in found}

    def send(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Send a form."""
        return self.portal.hub.post(path, headers=cookie_header(self._cookie) | self._origin, data=fields)

    def send_at_once(self, path: str, forms: list[dict[str, str]]) -> list[httpx.Response]:
        """Send forms, all at the same moment."""
        return at_once(lambda fields: self.send(path, fields), forms, threads=len(forms))

    def plan(self, **fields: Any) -> Session:
        """Plan a session with one guest."""
        given = {"title": "Consultation", "starts_at": time.time_ns() // 1_000_000 + HOUR, **fields}
        guest = Invitee(full_name="Ben Okafor", email="ben@example.org")
        return self.portal.house.sessions.create(self.portal.account_id, HostRef(user_id=self.user_id), given, [guest])[
            0
        ]

    def hosted(self) -> list[Session]:
        """Give what they host."""
        wanted = Filter(host_user_id=self.user_id)
        return self.portal.house.sessions.page(self.portal.account_id, wanted, after=None, limit=100)[0]


@pytest.fixture
def host(portal: Portal) -> Host:
    """A host in a browser."""
    return Host(portal)


@pytest.mark.req("P02")
def test_many_clicks_on_one_form_plan_one_session_and_all_lead_to_it(host: Host) -> None:
    # given
    form = host.form_of("/plan") | FORM
    # when
    answers = host.send_at_once("/plan", [form] * AT_ONCE)
    # then: whichever answer the browser shows, it is the right one
    assert {answer.status_code for answer in answers} == {303}
    (session,) = host.hosted()
    assert {answer.headers["location"] for answer in answers} == {f"/plan/{session.session_id}?done=planned"}
    assert len(host.portal.house.participants.list_of(host.portal.account_id, session.session_id)) == 2


@pytest.mark.req("P02")
def test_many_clicks_add_everybody_once(host: Host) -> None:
    # given
    session = host.plan()
    address = f"/plan/{session.session_id}/add"
    form = host.form_of(address) | {"rows": "1", "name-1": "Carla", "role-1": "observer"}
    # when
    answers = host.send_at_once(address, [form] * AT_ONCE)
    # then
    assert {answer.status_code for answer in answers} == {303}
    people = host.portal.house.participants.list_of(host.portal.account_id, session.session_id)
    assert sorted(one.full_name for one in people) == ["Ben Okafor", "Carla", "Dr. Grace Hopper"]


def test_of_several_windows_one_changes_the_session_and_the_others_are_told(host: Host) -> None:
    # given
    session = host.plan()
    address = f"/plan/{session.session_id}/change"
    form = host.form_of(address) | {"zone": session.time_zone, "minutes": "60"}
    page = host.portal.house.sessions.get(host.portal.account_id, session.session_id)
    when = time.gmtime(page.starts_at // 1_000)
    shown = {"day": time.strftime("%Y-%m-%d", when), "clock": time.strftime("%H:%M", when)}
    forms = [form | shown | {"title": f"Window {number}"} for number in range(AT_ONCE)]
    # when
    answers = host.send_at_once(address, forms)
    # then
    (winner,) = [number for number, answer in enumerate(answers) if answer.status_code == 303]
    now = host.portal.house.sessions.get(host.portal.account_id, session.session_id)
    assert (now.title, now.version) == (f"Window {winner}", session.version + 1)
    for number, answer in enumerate(answers):
        if number != winner:
            assert answer.status_code == 412
            assert f"Window {winner}" in answer.text
            assert f'value="Window {number}"' in answer.text


@pytest.mark.req("S05")
def test_the_limit_of_reminders_holds_for_many_clicks_too(host: Host) -> None:
    # given
    session = host.plan()
    guest = host.portal.house.participants.list_of(host.portal.account_id, session.session_id)[1]
    address = f"/plan/{session.session_id}/participants/{guest.participant_id}/remind"
    forms = [host.form_of(f"/plan/{session.session_id}") for _ in range(AT_ONCE)]
    # when: as from as many windows
    answers = host.send_at_once(address, forms)
    # then
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [303] * AN_HOUR + [429] * (AT_ONCE - AN_HOUR)


@pytest.mark.req("L20", "P05")
def test_no_host_reaches_into_another_account(host: Host, open_portal: Callable[..., Portal]) -> None:
    # given
    foreign = Host(open_portal()).plan()
    token = host.form_of("/plan")
    # then
    assert host.send(f"/plan/{foreign.session_id}/cancel", token).status_code == 404
    assert foreign.status.value == "scheduled"
