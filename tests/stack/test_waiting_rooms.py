"""A room's waiting list on the real stack: whoever decides first has decided, and nobody stands in it twice."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.portal import COOKIE
from tests.support.proxy import calls_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy

ROUNDS = 4
PATIENCE = 1.5  # seconds; the SDK waits for two
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
DECIDING = calls_of(function="WaitingRoomsFunction", action="UpdateItem")


@pytest.fixture(scope="module")
def pool() -> Generator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.fixture(scope="module")
def portal(open_portal: Callable[..., Portal]) -> Portal:
    return open_portal()


@pytest.fixture(scope="module")
def room(portal: Portal) -> dict[str, Any]:
    made: dict[str, Any] = portal.api.post("/v1/rooms", json={"name": "Walk-ins"}).json()
    return made


@pytest.fixture(scope="module")
def providers(portal: Portal, room: dict[str, Any]) -> list[str]:
    """Two providers of one room; give their sign-in cookies."""
    users = [portal.create_user(full_name=name, role="provider")["id"] for name in ("Dr. Hopper", "Dr. Turing")]
    for user in users:
        assert portal.api.request("PUT", f"/v1/rooms/{room['id']}/users/{user}").status_code == httpx.codes.NO_CONTENT
    return [portal.sign_in(user) for user in users]


class Guest:
    """Somebody without an account, at a room's door."""

    def __init__(self, portal: Portal, room: dict[str, Any]) -> None:
        self._portal = portal
        self._door = f"/u/{room['slug']}"
        self._jar: dict[str, str] = {}
        self._token = ""

    def see(self) -> httpx.Response:
        return self._ask("GET", self._door)

    def wait(self, name: str) -> httpx.Response:
        self.see()
        return self._ask("POST", self._door, {"name": name, "action": "wait"})

    def ask(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask("POST", f"{self._door}/state", {}).json()
        return answer

    def _ask(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self._jar.items())
        data = None if form is None else {"form_token": self._token, **form}
        answer = self._portal.hub.request(method, path, headers={**SAME_ORIGIN, "Cookie": cookie}, data=data)
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            self._jar[name] = rest.partition(";")[0]
        if found := re.search(r'name="form_token" value="([^"]+)"', answer.text):
            self._token = found[1]
        return answer


class Desk:
    """A provider's list."""

    def __init__(self, portal: Portal, room: dict[str, Any], cookie: str) -> None:
        self._portal = portal
        self._room = room
        self._headers = {**SAME_ORIGIN, "Cookie": f"{COOKIE}={cookie}"}

    def look(self) -> dict[str, str]:
        """Give the key of everybody in the list by name."""
        self._page = self._portal.hub.get("/dashboard/rooms", headers=self._headers).text
        found = re.findall(r'data-who="([^"]*)" data-room="\d+" data-name="([^"]*)"', self._page)
        return {unescape(name): unescape(key) for key, name in found}

    def decide(self, key: str, decision: str) -> str:
        """Press a button; give where it leads."""
        token = re.search(r'name="form_token" value="([^"]+)"', self._page)
        assert token
        form = {"form_token": token[1], "room": self._room["id"], "who": key, "decision": decision}
        answer = self._portal.hub.post("/dashboard/rooms", headers=self._headers, data=form)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        return str(answer.headers["location"])


@pytest.mark.parametrize("decisions", [("admit", "admit"), ("admit", "turn_away"), ("turn_away", "turn_away")])
def test_of_two_providers_who_decide_at_once_one_wins(
    portal: Portal,
    room: dict[str, Any],
    providers: list[str],
    pool: ThreadPoolExecutor,
    aws: AwsProxy,
    decisions: tuple[str, str],
) -> None:
    gathered = 0
    for number in range(ROUNDS):
        # given
        guest = Guest(portal, room)
        name = f"{'-'.join(decisions)} {number}"
        assert guest.wait(name).status_code == httpx.codes.SEE_OTHER
        desks = [Desk(portal, room, cookie) for cookie in providers]
        keys = [desk.look()[name] for desk in desks]
        # when
        with aws.gather(DECIDING, 2, patience=PATIENCE) as held:
            targets = list(pool.map(lambda one: one[0].decide(*one[1:]), zip(desks, keys, decisions, strict=True)))
        gathered = max(gathered, held.gathered)
        # then: exactly one was in time, and the guest hears what that one decided
        late = [target for target in targets if target == "/dashboard/rooms?gone=1"]
        assert len(late) == 1, targets
        winner = next(index for index, target in enumerate(targets) if target != "/dashboard/rooms?gone=1")
        heard = guest.ask()
        if decisions[winner] == "admit":
            assert re.fullmatch(r"/s/\d+\?launch=1", targets[winner])
            assert heard["state"] == "admitted"
            (session_id,) = re.findall(r"/s/(\d+)", targets[winner])
            assert heard["url"].startswith(f"/p/{session_id}-")
            session = portal.api.get(f"/v1/sessions/{session_id}").json()
            assert [one["full_name"] for one in session["participants"]][1:] == [name]
        else:
            assert heard["state"] == "turned_away"
        assert all(name not in desk.look() for desk in desks)
    assert gathered == 2, "the two never met"


def test_a_user_who_comes_by_several_browsers_at_once_waits_once(
    portal: Portal, room: dict[str, Any], providers: list[str], pool: ThreadPoolExecutor
) -> None:
    # given
    user = portal.house.users.get(portal.account_id, portal.create_user(full_name="Ada Lovelace")["id"])
    known = portal.house.rooms.get(portal.account_id, room["id"])
    # when
    tokens = list(
        pool.map(lambda _: portal.house.waiting.come_in(known, name="", user=user, address="192.0.2.1"), range(4))
    )
    # then
    assert list(Desk(portal, room, providers[0]).look()).count("Ada Lovelace") == 1
    heard = [portal.house.waiting.hear(portal.account_id, token) for token in tokens]
    assert len([one for one in heard if one is not None]) == 1
