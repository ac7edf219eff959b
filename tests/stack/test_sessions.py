"""Sessions, participants, links and codes over HTTP, on the real template with IAM enforced."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.crowd import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.portal import Portal

TOMORROW = "2199-06-01T09:00:00Z"
AT_ONCE = 50
THREADS = 10


@pytest.fixture
def host(portal: Portal) -> dict[str, Any]:
    return portal.create_user(full_name="Dr. Mia Lindqvist", email="mia@clinic.example", external_id="dr-1")


def plan(portal: Portal, host: dict[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"title": "Consultation", "host": {"user_id": host["id"]}, "starts_at": TOMORROW, **fields}
    answer = portal.api.post("/v1/sessions", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.mark.req("S02", "S03")
def test_a_session_is_planned_read_changed_and_cancelled(portal: Portal, host: dict[str, Any]) -> None:
    guests = [{"full_name": "Ben Okafor", "email": "ben@example.org"}, {"full_name": "Walk-in", "role": "observer"}]
    body = {
        "title": "Consultation",
        "host": {"external_id": "dr-1"},
        "starts_at": "2199-06-01T11:00:00+02:00",
        "duration_minutes": 30,
        "time_zone": "Europe/Berlin",
        "external_id": "appointment-7",
        "friendly_url": "annual-review",
        "metadata": {"department": "cardiology", "beds": [1, 2.5]},
        "participants": guests,
    }

    made = portal.api.post("/v1/sessions", json=body)

    session = made.json()
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/v1/sessions/{session['id']}"
    assert (session["starts_at"], session["ends_at"]) == ("2199-06-01T09:00:00.000Z", "2199-06-01T09:30:00.000Z")
    assert session["metadata"] == body["metadata"]
    assert session["session_link"] == f"{portal.hub_url}/s/{session['id']}"
    assert session["friendly_link"] == f"{portal.hub_url}/go/{portal.account.slug}/annual-review"
    assert [p["role"] for p in session["participants"]] == ["host", "attendee", "observer"]
    for person in session["participants"]:
        assert len(person["connect_code"]) == 9
        assert person["join_link"] == f"{portal.hub_url}/join/{person['connect_code']}"
        assert person["personal_link"].startswith(f"{portal.hub_url}/p/{session['id']}-{person['id']}-")
        assert person["passkey"] is None

    read = portal.api.get(made.headers["location"])
    assert read.json() == session
    found = portal.api.get("/v1/sessions", params={"external_id": "appointment-7"}).json()["items"]
    assert [item["id"] for item in found] == [session["id"]]

    changed = portal.api.patch(
        made.headers["location"], json={"title": "Follow-up"}, headers={"If-Match": read.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text
    assert (changed.json()["title"], changed.json()["version"]) == ("Follow-up", 2)
    lost = portal.api.patch(
        made.headers["location"], json={"title": "Lost"}, headers={"If-Match": read.headers["etag"]}
    )
    assert (lost.status_code, lost.json()["code"]) == (412, "version_mismatch")

    assert portal.api.delete(made.headers["location"]).status_code == 204
    assert portal.api.get(made.headers["location"]).json()["status"] == "cancelled"


@pytest.mark.req("S01", "R03")
def test_names_that_a_session_gives_up_are_free_again(portal: Portal, host: dict[str, Any]) -> None:
    # given
    names = {"external_id": "appointment-8", "friendly_url": "open-day"}
    first = plan(portal, host, **names)

    # when
    left = portal.api.patch(f"/v1/sessions/{first['id']}", json={"external_id": None, "friendly_url": "old-open-day"})

    # then
    assert left.status_code == 200, left.text
    second = plan(portal, host, **names)
    found = portal.api.get("/v1/sessions", params={"external_id": "appointment-8"}).json()["items"]
    assert [item["id"] for item in found] == [second["id"]]
    followed = portal.hub.get(f"/go/{portal.account.slug}/old-open-day")
    assert followed.headers["location"] == f"/s/{first['id']}"


def test_participants_are_added_changed_rotated_and_removed(portal: Portal, host: dict[str, Any]) -> None:
    session = plan(portal, host)
    path = f"/v1/sessions/{session['id']}/participants"
    member = portal.create_user(full_name="Noor Haddad", email="noor@example.org")

    added = portal.api.post(
        path, json={"participants": [{"user_id": member["id"]}, {"full_name": "Ben", "email": "ben@example.org"}]}
    )
    assert added.status_code == 201, added.text
    first, second = added.json()["items"]
    assert (first["full_name"], first["email"]) == ("Noor Haddad", "noor@example.org")
    assert [p["id"] for p in portal.api.get(path).json()["items"]][1:] == [first["id"], second["id"]]

    changed = portal.api.patch(f"{path}/{second['id']}", json={"role": "presenter", "email": None})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["role"], changed.json()["email"]) == ("presenter", None)
    assert changed.json()["personal_link"] == second["personal_link"]

    rotated = portal.api.post(f"{path}/{second['id']}/rotate").json()
    assert rotated["personal_link"] != second["personal_link"]
    assert rotated["connect_code"] != second["connect_code"]

    again = portal.api.post(path, json={"participants": [{"full_name": "N.", "email": "NOOR@example.org"}]})
    assert (again.status_code, again.json()["code"]) == (409, "participant_exists")

    assert portal.api.delete(f"{path}/{second['id']}").status_code == 204
    gone = portal.api.get(f"{path}/{second['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "participant_not_found")


def test_passkeys_are_shown_when_the_account_requires_them(
    open_portal: Callable[..., Portal],
) -> None:
    portal = open_portal(require_passkey=True)
    session = plan(portal, portal.create_user())

    (person,) = session["participants"]
    assert len(person["passkey"]) == 36


def test_fifty_at_once_add_a_person_once(portal: Portal, host: dict[str, Any]) -> None:
    session = plan(portal, host)
    path = f"/v1/sessions/{session['id']}/participants"
    person = {"participants": [{"full_name": "Ben", "email": "ben@example.org"}]}

    answers = at_once(lambda _: portal.api.post(path, json=person), range(AT_ONCE), threads=THREADS)

    assert Counter(a.status_code for a in answers) == {201: 1, 409: AT_ONCE - 1}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"participant_exists"}
    assert len(portal.api.get(path).json()["items"]) == 2


def test_fifty_at_once_take_an_external_id_once(portal: Portal, host: dict[str, Any]) -> None:
    body = {"title": "Once", "host": {"user_id": host["id"]}, "starts_at": TOMORROW, "external_id": "appointment-9"}

    answers = at_once(lambda _: portal.api.post("/v1/sessions", json=body), range(AT_ONCE), threads=THREADS)

    assert Counter(a.status_code for a in answers) == {201: 1, 409: AT_ONCE - 1}
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"external_id_taken"}
    assert len(portal.api.get("/v1/sessions").json()["items"]) == 1


@pytest.mark.req("P06")
def test_a_list_goes_on_where_it_ended_for_the_same_question_alone(portal: Portal, host: dict[str, Any]) -> None:
    made = [plan(portal, host, starts_at=f"2199-06-0{day}T09:00:00Z")["id"] for day in (3, 1, 2, 4, 5)]
    in_order = [made[1], made[2], made[0], made[3], made[4]]

    first = portal.api.get("/v1/sessions", params={"limit": "2"}).json()
    second = portal.api.get("/v1/sessions", params={"limit": "2", "cursor": first["cursor"]}).json()
    third = portal.api.get("/v1/sessions", params={"limit": "2", "cursor": second["cursor"]}).json()

    seen = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert seen == in_order
    assert third["cursor"] is None
    other = portal.api.get("/v1/sessions", params={"limit": "2", "cursor": first["cursor"], "host_user_id": host["id"]})
    assert (other.status_code, other.json()["errors"][0]["code"]) == (422, "invalid_cursor")


@pytest.mark.req("P05")
def test_another_accounts_session_is_none(portal: Portal, open_portal: Callable[..., Portal]) -> None:
    session = plan(portal, portal.create_user(), participants=[{"full_name": "Ben"}])
    person = session["participants"][1]["id"]
    path = f"/v1/sessions/{session['id']}"
    stranger = open_portal()

    answers = [
        stranger.api.get(path),
        stranger.api.patch(path, json={"title": "Mine"}),
        stranger.api.delete(path),
        stranger.api.get(f"{path}/participants"),
        stranger.api.post(f"{path}/participants", json={"participants": [{"full_name": "Eve"}]}),
        stranger.api.get(f"{path}/participants/{person}"),
        stranger.api.patch(f"{path}/participants/{person}", json={"full_name": "Eve"}),
        stranger.api.post(f"{path}/participants/{person}/rotate"),
        stranger.api.delete(f"{path}/participants/{person}"),
    ]

    assert {(a.status_code, a.json()["code"]) for a in answers} == {(404, "session_not_found")}
    assert portal.api.get(path).json() == session


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": "2001-01-01T00:00:00Z"}, "starts_at"),
        ({"starts_at": "2199-06-01T09:00:00"}, "starts_at"),
        ({"starts_at": 1795315772}, "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59-23:59"}, "starts_at"),
        ({"starts_at": None}, "starts_at"),
        ({"duration_minutes": "60"}, "duration_minutes"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"x": "y" * 9_000}}, "metadata"),
        ({"registration": {"opens_at": "2199-01-02T00:00:00Z", "closes_at": "2199-01-01T00:00:00Z"}}, "registration"),
        ({"presenters": ["a@x.org"], "organizers": ["A@x.org"]}, "organizers"),
        ({"host": {}}, "host"),
        ({"host": {"user_id": "12345678"}}, "host"),
        ({"participants": [{}]}, "participants.0.full_name"),
        ({"participants": [{"full_name": "x", "role": "host"}]}, "participants.0.role"),
        ({"participants": [{"full_name": "x", "email": "not one"}]}, "participants.0.email"),
        ({"participants": [{"full_name": str(n)} for n in range(101)]}, "participants"),
        ({"unknown": 1}, "unknown"),
    ],
)
@pytest.mark.req("P01", "P04", "S07")
def test_what_cannot_be_planned_is_named(
    portal: Portal, host: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    body = {"title": "Consultation", "host": {"user_id": host["id"]}, "starts_at": TOMORROW, **change}

    answer = portal.api.post("/v1/sessions", json=body)

    assert answer.status_code == 422, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert portal.api.get("/v1/sessions").json()["items"] == []
