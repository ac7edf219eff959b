"""The hub's own paths, the vendors' spellings of them, and what survives the way in."""

from __future__ import annotations

import itertools
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestibule.http.hub.addresses import CARRIED, DASHBOARD, canonical, guid_in, landing, with_query

GUID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("path", "query", "address"),
    [
        ("/login/" + GUID, {}, "/login/" + GUID),
        ("/LOGIN/" + GUID.upper(), {}, "/login/" + GUID),
        ("/Account/AutoLogin/" + GUID, {}, "/login/" + GUID),
        ("/account/autologin/" + GUID + "/", {}, "/login/" + GUID),
        ("/ACCOUNT/AUTOLOGIN/" + GUID.upper(), {}, "/login/" + GUID),
        ("/Account/AutoLogin/auto=" + GUID, {}, "/login/" + GUID),
        ("/account/AUTOLOGIN/AUTO=" + GUID, {}, "/login/" + GUID),
        ("/account/autologin/auto%3D" + GUID, {}, "/login/" + GUID),
        ("/Account/Login", {"auto": GUID}, "/login/" + GUID),
        ("/account/login", {"AUTO": GUID, "launch": "1"}, f"/login/{GUID}?launch=1"),
        ("/Account/AutoLogin/" + GUID, {"scrollTo": "17", "launch": "1"}, f"/login/{GUID}?scrollTo=17&launch=1"),
        ("/Account/Login", {}, "/sign-in"),
        ("/Account/Login", {"auto": ""}, "/sign-in"),
        ("/login", {}, "/sign-in"),
        ("/Sign-In", {"next": "/dashboard?a=1"}, "/sign-in?next=%2Fdashboard%3Fa%3D1"),
        ("/Account/LogOffAndRedirect", {"redirectToUrl": "https://p.example/?a=1"},
         "/logout?redirectToUrl=https%3A%2F%2Fp.example%2F%3Fa%3D1"),
        ("/ACCOUNT/logoffandredirect/", {}, "/logout"),
        ("/Logout", {}, "/logout"),
        ("/Dashboard", {"scrollTo": "17"}, "/dashboard?scrollTo=17"),
        ("/DASHBOARD/", {}, "/dashboard"),
        ("/Providers/Dashboard", {}, "/dashboard"),
        ("/Dashboard/P/23487", {"launch": "1"}, "/dashboard?launch=1&user=23487"),
        ("/dashboard/p/23487/", {}, "/dashboard?user=23487"),
    ],
)  # fmt: skip
@pytest.mark.req("L15")
def test_every_spelling_leads_to_one_address(path: str, query: dict[str, str], address: str) -> None:
    assert canonical(path, query) == address


@pytest.mark.parametrize(
    "path",
    ["/", "", "/account", "/account/autologin", "/login/a/b", "/dashboards", "/dashboard/p", "/dashboard/q/1",
     "/dashboard/p/1/2", "/logout/x", "//login/" + GUID, "/login\n", "/wp-login.php", "/static/x.js"],
)  # fmt: skip
def test_other_paths_are_no_page(path: str) -> None:
    assert canonical(path, {}) is None


@pytest.mark.req("L07")
def test_nothing_in_a_path_makes_the_address_another_one() -> None:
    # given: what a path segment may hold after the gateway's decoding
    for segment in ("?next=//evil.example", "#x", "%0d%0a", "a b", "ü", "..", "%2e%2e", "//evil.example", "\r\nX: y"):
        # when
        login = canonical(f"/login/{segment}", {})
        person = canonical(f"/dashboard/p/{segment}", {})
        # then
        for address, prefix in ((login, "/login/"), (person, "/dashboard?user=")):
            if address is not None:
                assert address.startswith(prefix)
                assert address.isascii()
                assert address.isprintable()
                assert not set(address.removeprefix(prefix)) & set("/?#&\\ ")


@pytest.mark.parametrize(
    ("segment", "guid"),
    [(GUID, GUID), (GUID.upper(), GUID), ("auto=" + GUID, GUID), ("AUTO=" + GUID.upper(), GUID), ("", "")],
)
def test_the_guid_of_a_login_path(segment: str, guid: str) -> None:
    assert guid_in(segment) == guid


_SPELLINGS = {"scrollto": ["scrollTo", "ScrollTo", "SCROLLTO"], "launch": ["launch", "Launch"], "passkey": ["passkey"]}


@pytest.mark.parametrize("some", [c for n in range(4) for c in itertools.permutations(_SPELLINGS, n)], ids=str)
@pytest.mark.req("L15")
def test_carried_parameters_survive_in_any_combination_and_order(some: tuple[str, ...]) -> None:
    # given: as they arrive, among others
    arriving = {"utm": "x", **{folded: f"value of {folded}&=" for folded in some}}

    for next_path, path in ((None, DASHBOARD), ("/dashboard?scrollTo=1", DASHBOARD), ("/no/such/page", DASHBOARD)):
        # when
        target = urlsplit(landing(next_path, arriving))
        # then
        assert target.path == path
        found = dict(parse_qsl(target.query))
        for folded in some:
            assert found[CARRIED[folded]] == f"value of {folded}&="
        assert "utm" not in found


@given(
    st.permutations(["scrollTo=17", "launch=1", "passkey=a/b", "x=y"]),
    st.sampled_from(["/Account/AutoLogin/" + GUID, "/Account/Login?auto=" + GUID, "/Dashboard/P/7", "/Account/Login"]),
)
@pytest.mark.req("L15")
def test_an_alias_drops_no_parameter(pairs: list[str], alias: str) -> None:
    # given
    path, _, own = alias.partition("?")
    given_query = dict(parse_qsl("&".join([own, *pairs])))

    # when
    address = canonical(path, given_query)

    # then
    assert address is not None
    kept = dict(parse_qsl(urlsplit(address).query))
    assert dict(parse_qsl("&".join(pairs))).items() <= kept.items()


@pytest.mark.parametrize(
    ("next_path", "arriving", "target"),
    [
        (None, {}, "/dashboard"),
        ("/dashboard?scrollTo=5", {}, "/dashboard?scrollTo=5"),
        ("/dashboard?scrollTo=5", {"scrollto": "6"}, "/dashboard?scrollTo=6"),  # the later word counts
        ("/dashboard?a=", {"launch": "1"}, "/dashboard?a=&launch=1"),
        ("/Providers/Dashboard", {}, "/dashboard"),
        ("/Dashboard/P/7?launch=1", {}, "/dashboard?launch=1&user=7"),
        ("/logout", {}, "/logout"),
        ("/nowhere?scrollTo=5", {}, "/dashboard?scrollTo=5"),
        ("/nowhere", {}, "/dashboard"),
    ],
)
@pytest.mark.req("L15")
def test_where_a_login_leads(next_path: str | None, arriving: dict[str, str], target: str) -> None:
    assert landing(next_path, arriving) == target


def test_a_query_is_written_only_when_there_is_one() -> None:
    assert with_query("/a", {}) == "/a"
    assert with_query("/a", {"b": "c d", "e": "&"}) == "/a?b=c+d&e=%26"
