"""An account: its settings, its clients, and that nobody else's objects exist for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.portal import PORTAL_URL, cookie_of
from tests.support.problems import assert_problem
from tests.support.proxy import is_write
from vestibule.domain import scopes

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy


@pytest.mark.req("P05", "L16", "L20")
def test_another_accounts_objects_do_not_exist(
    portal: Portal, open_portal: Callable[..., Portal], aws: AwsProxy
) -> None:
    # given: an object of each kind, one's own and another account's
    other = open_portal()
    theirs = other.create_user(external_id="p-1")["id"]
    login = other.issue(theirs)
    client_id, _ = other.create_client()
    # and the account's id written before another's client, as no honest caller would
    posing = f"{portal.account_id}-{client_id.partition('-')[2]}"
    api = portal.api

    def calls() -> dict[str, tuple[httpx.Response, str]]:
        guid = login["login_guid"]
        return {
            "see a user": (api.get(f"/v1/users/{theirs}"), "user_not_found"),
            "change a user": (api.patch(f"/v1/users/{theirs}", json={"full_name": "x"}), "user_not_found"),
            "delete a user": (api.delete(f"/v1/users/{theirs}"), "user_not_found"),
            "sign a user out": (api.delete(f"/v1/users/{theirs}/sign-ins"), "user_not_found"),
            "issue": (api.post("/v1/login-uris", json={"user_id": theirs}), "user_not_found"),
            "issue by the portal's id": (api.post("/v1/login-uris", json={"external_id": "p-1"}), "user_not_found"),
            "see a login": (api.get(f"/v1/login-uris/{guid}"), "login_uri_not_found"),
            "revoke a login": (api.delete(f"/v1/login-uris/{guid}"), "login_uri_not_found"),
            "rotate a client": (api.post(f"/v1/account/clients/{client_id}/rotate"), "client_not_found"),
            "delete a client": (api.delete(f"/v1/account/clients/{client_id}"), "client_not_found"),
            "rotate a posing client": (api.post(f"/v1/account/clients/{posing}/rotate"), "client_not_found"),
        }

    # when
    with aws.recording() as seen:
        answers = calls()
        vendor = [api.post(f"/securevideo/login/{theirs}"), api.post("/securevideo/login/0?externalId=p-1")]
        vendor_revokes = api.delete(f"/securevideo/login/{login['login_guid']}")

    # then
    for answer, code in answers.values():
        assert_problem(answer, 404, code)
    assert [answer.status_code for answer in (*vendor, vendor_revokes)] == [404, 404, 404]
    # the one write is the revocation, whose condition names the account
    assert {call.action for call in seen if is_write(call)} == {"UpdateItem"}
    assert api.get("/v1/users").json()["items"] == []
    assert api.get("/v1/users", params={"external_id": "p-1"}).json()["items"] == []
    assert portal.client_id in api.get("/v1/account/clients").text
    assert client_id not in api.get("/v1/account/clients").text

    # and all of it is as it was
    assert other.api.get(f"/v1/users/{theirs}").status_code == 200
    assert cookie_of(other.follow(login["login_uri"]))


def test_settings_are_changed_one_by_one_and_put_back(portal: Portal) -> None:
    # given
    before = portal.api.get("/v1/account").json()
    wanted = {
        "name": "Lakeside Medical",
        "logo_url": "https://cdn.example.org/logo.svg",
        "portal_url": f"{PORTAL_URL}/home",
        "colors": {"accent": "#0f5c8c"},
        "navigation": [{"label": "Home", "url": f"{PORTAL_URL}/"}],
        "redirect_uris": [PORTAL_URL, "https://portal.example.org/app"],
        "idle_timeout_minutes": 30,
        "sign_in_lifetime_minutes": 600,
        "revoke_on_reuse": True,
        "revoke_ends_sign_in": False,
    }

    # when
    changed = portal.api.patch("/v1/account", json=wanted)

    # then
    assert changed.status_code == 200
    assert changed.json() == {**before, **wanted, "updated_at": changed.json()["updated_at"]}
    assert portal.api.get("/v1/account").json() == changed.json()

    # when
    defaults = dict.fromkeys(set(wanted) - {"name"})
    put_back = portal.api.patch("/v1/account", json=defaults).json()

    # then
    assert put_back["name"] == "Lakeside Medical"
    assert put_back["idle_timeout_minutes"] == 240
    assert put_back["redirect_uris"] == put_back["navigation"] == []
    assert put_back["logo_url"] is None
    assert put_back["revoke_ends_sign_in"] is True


def test_a_slug_is_one_accounts_own_for_ever(portal: Portal, open_portal: Callable[..., Portal]) -> None:
    # given
    other = open_portal()

    # then: nobody takes another's
    taken = portal.api.patch("/v1/account", json={"slug": other.account.slug})
    assert_problem(taken, 409, "slug_taken")

    # when: the other moves on
    moved = other.api.patch("/v1/account", json={"slug": f"{other.account.slug}-new"})
    assert moved.status_code == 200
    assert moved.json()["hub_url"] == other.hub_url.replace(other.account.slug, f"{other.account.slug}-new")

    # then: what it left stays its own
    assert_problem(portal.api.patch("/v1/account", json={"slug": other.account.slug}), 409, "slug_taken")
    assert other.api.patch("/v1/account", json={"slug": other.account.slug}).status_code == 200


@pytest.mark.req("P07")
def test_a_clients_secret_is_shown_once(portal: Portal) -> None:
    # when
    wanted = {"name": "reports", "scopes": ["users:read", "account:read"]}
    made = portal.api.post("/v1/account/clients", json=wanted)

    # then
    client = made.json()
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/account/clients/{client['client_id']}"
    assert made.headers["cache-control"] == "no-store"
    assert client["scopes"] == ["account:read", "users:read"]
    assert portal.basic(client["client_id"], client["client_secret"]).get("/v1/users").status_code == 200
    listed = portal.api.get("/v1/account/clients")
    assert {one["client_id"] for one in listed.json()["items"]} == {portal.client_id, client["client_id"]}
    assert client["client_secret"] not in listed.text
    assert not any("client_secret" in one for one in listed.json()["items"])


@pytest.mark.req("P07")
def test_two_secrets_are_live_during_a_rotation(portal: Portal) -> None:
    # given
    client_id, first = portal.create_client()
    rotate = f"/v1/account/clients/{client_id}/rotate"

    def works(secret: str) -> bool:  # the token endpoint remembers nobody
        answer = portal.basic(client_id, secret).post("/v1/oauth/token", data={"grant_type": "client_credentials"})
        return answer.status_code == 200

    # when
    rotated = portal.api.post(rotate, json={"overlap_minutes": 10}).json()
    second = rotated["client_secret"]

    # then
    assert works(first)
    assert works(second)
    assert [known["expires_at"] is None for known in rotated["secrets"]] == [False, True]

    # when: once more, without a body: there are never more than two
    third = portal.api.post(rotate).json()["client_secret"]

    # then
    assert [works(secret) for secret in (first, second, third)] == [False, True, True]

    # when: a secret has leaked
    fourth = portal.api.post(rotate, json={"overlap_minutes": 0}).json()["client_secret"]

    # then
    assert [works(secret) for secret in (first, second, third, fourth)] == [False, False, False, True]


def test_a_removed_client_is_refused(portal: Portal) -> None:
    # given
    client_id, secret = portal.create_client()

    # when
    assert portal.api.delete(f"/v1/account/clients/{client_id}").status_code == 204

    # then
    assert portal.basic(client_id, secret).get("/v1/users").status_code == 401
    assert_problem(portal.api.delete(f"/v1/account/clients/{client_id}"), 404, "client_not_found")


def test_an_account_has_at_most_20_clients(portal: Portal) -> None:
    # given
    for _ in range(19):
        portal.create_client(scopes.USERS_READ)

    # when
    refused = portal.api.post("/v1/account/clients", json={"name": "one more", "scopes": ["users:read"]})

    # then
    assert_problem(refused, 409, "too_many_clients")
