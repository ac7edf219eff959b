"""Links by mail: who gets one, that looking at it changes nothing, and that it is good for one use."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.support.events import header, json_of
from tests.support.house import add_user, open_account
from tests.support.outbox import Crash, refusal
from tests.support.visits import Browser, text_of
from vestibule.clock import MINUTE, SECOND
from vestibule.domain import passwords
from vestibule.domain.guesses import LINKS_BY_NAME, LINKS_FROM_NETWORK, LINKS_TO_USER
from vestibule.domain.leases import LEASE
from vestibule.domain.mailed_links import USABLE_FOR
from vestibule.model import LinkPurpose, Status
from vestibule.store.items import unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.house import FakeClock, LoadFunction, MakeHouse, MotoAws, Wire
    from tests.support.outbox import Mail, Post
    from vestibule.model import Account, User
    from vestibule.wiring import House

ADDRESS = "maria@example.org"
PASSWORD = "correct horse battery"
NEW_PASSWORD = "eleven green bottles"
REFUSED = "This link no longer works"
ASK = {"sign_in": "/sign-in/link", "password": "/sign-in/password"}
LINK = re.compile(r"https://clinic\.hub\.vestibule\.example(/sign-in/(?:link|password)/[A-Za-z0-9_-]{43}\S*)")
pytestmark = pytest.mark.usefixtures("light_hashes")


@pytest.fixture
def user(house: House, account: Account) -> User:
    return add_user(house, account, username="maria", email=ADDRESS)


@pytest.fixture
def browser(function: LoadFunction, user: User) -> Browser:
    assert user.email
    return Browser(function)


def ask(browser: Browser, name: str = "maria", address: str = ASK["sign_in"]) -> dict[str, Any]:
    """Fill in the form that asks for a link."""
    return browser.post(address, browser.ask(address), name=name)


def link_in(mail: Mail) -> str:
    """Give path and query of a mail's link."""
    (found,) = set(LINK.findall(mail.text))
    return str(found)


@pytest.fixture
def mailed(browser: Browser, post: Post) -> Callable[..., str]:
    """A function that asks for a link and gives what the mail brought."""

    def get(name: str = "maria", address: str = ASK["sign_in"]) -> str:
        assert ask(browser, name, address)["statusCode"] == 303
        post.deliver()
        return link_in(post.mails[-1])

    return get


def click(browser: Browser, link: str, **fields: str) -> dict[str, Any]:
    """Follow a link and send the form of its page."""
    return browser.post(link, browser.ask(link), **fields)


# --- asking ---


@pytest.mark.req("L17", "L04")
@pytest.mark.parametrize("address", ASK.values())
def test_everybody_gets_the_same_answer_for_the_same_work(
    browser: Browser, post: Post, wire: Wire, house: House, account: Account, address: str
) -> None:
    """Known by name, by address, disabled, without an address, unknown: the same calls of the same tables."""
    add_user(house, account, username="mute")
    add_user(house, account, username="gone", email="gone@example.org", status=Status.DISABLED)
    page = browser.ask(address)
    browser.post(address, page, name="somebody")  # from here on the network is counted already
    answers, work = [], []
    for name in ("maria", ADDRESS, "gone", "mute", "nobody", "nobody@example.org"):
        with wire.counting() as calls:
            answers.append(browser.post(address, page, name=name))
        work.append([(call.operation, call.tables) for call in calls])
    # then
    assert all(answer == answers[0] for answer in answers)
    assert header(answers[0], "location") == f"{address}?sent=1"
    assert all(one == work[0] for one in work[1:])
    # and only who can use one gets a mail: once by name, once by address
    post.deliver()
    assert [mail.to for mail in post.mails] == [ADDRESS, ADDRESS]
    assert "a mail with a link is on its way" in text_of(browser.ask(f"{address}?sent=1"))


@pytest.mark.req("L04")
def test_nothing_readable_lies_anywhere(
    browser: Browser, post: Post, moto_aws: MotoAws, house: House, mailed: Callable[..., str]
) -> None:
    # given: one request that waits, one that was acted on
    link = mailed(ADDRESS, f"{ASK['sign_in']}?next=%2Fjoin%2F123456789&passkey=4cfbab43-secret")
    ask(browser, ADDRESS, f"{ASK['password']}?passkey=4cfbab43-secret")
    post.route()
    # when
    names = (house.settings.directory_table, house.settings.passes_table, house.settings.journal_table)
    stored = json.dumps([moto_aws.stored(name) for name in names]) + "".join(post.queue)
    # then: neither the way, nor the token; the address stands on the user alone
    token = urlsplit(link).path.rpartition("/")[2]
    assert token not in stored
    assert "4cfbab43" not in stored
    assert "123456789" not in stored
    assert "4cfbab43-secret" in link
    requests = [unpack(item) for item in moto_aws.stored(names[0]) if "link_request" in item["pk"]["S"]]
    assert len(requests) == 1
    assert ADDRESS not in json.dumps(requests)


@pytest.mark.req("H04")
def test_an_empty_name_is_asked_for_again(browser: Browser, post: Post) -> None:
    answer = ask(browser, "  ")
    assert answer["statusCode"] == 422
    assert "Please write your user name" in text_of(answer)
    assert post.route() == []


@pytest.mark.req("L17", "H04")
@pytest.mark.parametrize("name", ["maria", "nobody"])
def test_who_asks_too_often_is_told_to_wait(browser: Browser, clock: FakeClock, name: str) -> None:
    for _ in range(LINKS_BY_NAME.most):
        assert ask(browser, name)["statusCode"] == 303
    clock.advance(3 * MINUTE)
    answer = ask(browser, f" {name.upper()}", f"{ASK['password']}?launch=1")
    assert answer["statusCode"] == 429
    assert header(answer, "retry-after") == str(12 * 60)
    assert "can go out in 12 minutes" in text_of(answer)
    assert 'href="/sign-in/password?launch=1"' in answer["body"]
    clock.advance(12 * MINUTE)
    assert ask(browser, name)["statusCode"] == 303


@pytest.mark.req("L17")
def test_a_network_asks_only_so_often(browser: Browser) -> None:
    for number in range(LINKS_FROM_NETWORK.most):
        assert ask(browser, f"name {number}")["statusCode"] == 303
    assert ask(browser, "another")["statusCode"] == 429


@pytest.mark.req("L17")
def test_no_mailbox_is_flooded_by_names_for_the_same_person(post: Post, browser: Browser) -> None:
    """The answer stays the same, so that nobody learns which names belong together."""
    for _ in range(LINKS_TO_USER.most):
        assert ask(browser, "maria")["statusCode"] == 303
    assert ask(browser, ADDRESS)["statusCode"] == 303
    post.deliver()
    assert len(post.mails) == LINKS_TO_USER.most
    assert post.dead_letters == []


@pytest.mark.req("L19")
def test_another_sites_form_asks_for_nothing(browser: Browser, post: Post, function: LoadFunction) -> None:
    attackers = Browser(function).ask(ASK["sign_in"])
    browser.ask(ASK["sign_in"])
    assert browser.post(ASK["sign_in"], attackers, name="maria")["statusCode"] == 403
    assert browser.ask(ASK["sign_in"], "POST", body="name=maria")["statusCode"] == 403
    assert post.route() == []


def test_who_is_signed_in_needs_no_link(browser: Browser, mailed: Callable[..., str]) -> None:
    click(browser, mailed())
    for address in ASK.values():
        assert header(browser.ask(f"{address}?next=%2Fcheck"), "location") == "/check"


@pytest.mark.req("H04")
@pytest.mark.parametrize("off", ["passwords", "mail"])
def test_where_there_is_no_password_or_no_mail_nothing_is_offered(
    browser: Browser, house: House, account: Account, post: Post, mailed: Callable[..., str], off: str
) -> None:
    # given: an open page, and a link that came before
    link, page = mailed(), browser.ask(ASK["sign_in"])
    if off == "mail":
        house.settings = replace(house.settings, mail_sender="")
    else:
        house.accounts.change(account.account_id, {"password_sign_in": False})
    # then
    for address in (*ASK.values(), link):
        answer = browser.ask(address)
        assert answer["statusCode"] == 403
        assert "<form" not in answer["body"]
        assert "How to get in" in text_of(answer)
        assert browser.post(address, page, name="maria")["statusCode"] == 403
    assert "/sign-in/link" not in browser.ask("/sign-in")["body"]
    assert post.route() == []
    assert browser.cookie is None


@pytest.mark.req("L17")
def test_the_worker_asks_the_account_once_more(browser: Browser, house: House, account: Account, post: Post) -> None:
    ask(browser)
    house.accounts.change(account.account_id, {"password_sign_in": False})
    post.deliver()
    assert post.mails == []


def test_the_sign_in_page_offers_both(browser: Browser) -> None:
    page = browser.ask("/sign-in?next=%2Fs%2F22222222&launch=1")
    assert 'formaction="/sign-in/link?next=%2Fs%2F22222222&amp;launch=1" formnovalidate' in page["body"]
    assert 'href="/sign-in/password?next=%2Fs%2F22222222&amp;launch=1"' in page["body"]
    # and its own form may be sent there
    answer = browser.post("/sign-in/link?next=%2Fs%2F22222222", page, name="maria", password="")
    assert header(answer, "location") == "/sign-in/link?next=%2Fs%2F22222222&sent=1"


# --- the mail ---


@pytest.mark.req("S05")
@pytest.mark.parametrize(
    ("locale", "subject"),
    [("de", "Anmelden bei Northside Clinic"), ("fr-CA", "Connexion à Northside Clinic"), (None, "Sign in to")],
)
def test_the_mail_speaks_the_persons_language(
    browser: Browser, house: House, account: Account, user: User, post: Post, locale: str | None, subject: str
) -> None:
    house.users.change(account.account_id, user.user_id, {"locale": locale})
    ask(browser)
    post.deliver()
    (mail,) = post.mails
    assert mail.subject.startswith(subject)
    assert mail.to == ADDRESS
    assert "15" in mail.text
    assert mail.tags == {"account_id": account.account_id, "user_id": user.user_id}
    assert "maria" in mail.text  # which of those who share an address


@pytest.mark.req("L17")
def test_who_shares_an_address_gets_a_link_each_up_to_a_few(house: House, account: Account, post: Post) -> None:
    def asked(address: str) -> int:
        house.mailed_links.ask(account, LinkPurpose.SIGN_IN, address, "", address="203.0.113.9")
        post.deliver()
        return len(post.mails_to(address))

    for number in range(3):
        add_user(house, account, username=f"son{number}", email="family@example.org")
    for number in range(4):
        add_user(house, account, username=f"clerk{number}", email="office@example.org")
    assert asked("family@example.org") == 3
    assert asked("office@example.org") == 0
    assert len(set(map(link_in, post.mails))) == 3


@pytest.mark.req("S06", "R02")
def test_a_worker_that_dies_after_sending_sends_the_same_link_again(
    browser: Browser, post: Post, make_house: MakeHouse, clock: FakeClock, moto_aws: MotoAws, monkeypatch: Any
) -> None:
    # given: it dies before it can mark
    ask(browser)
    (message,) = post.route()
    post.queue.clear()

    def die(*_: object, **__: object) -> None:
        raise Crash

    dying = make_house(7)
    monkeypatch.setattr(dying.link_letters._leases._store, "finishing", die)  # noqa: SLF001 - where it dies
    with pytest.raises(Crash):
        post.work(str(message), house=dying)
    # when: too early, then in time
    assert not post.work(str(message), house=make_house(8))
    clock.advance(LEASE)
    assert post.work(str(message), house=make_house(9))
    # then: the same mail, and one link
    first, second = post.mails
    assert first.raw == second.raw
    assert header(click(browser, link_in(second)), "location") == "/dashboard"
    # and the message once more does nothing: the request is forgotten
    assert post.work(str(message))
    assert len(post.mails) == 2
    assert not [item for item in moto_aws.stored("DirectoryTable") if "link_request" in item["pk"]["S"]]


@pytest.mark.req("R01", "R02")
def test_ses_failing_for_a_while_sends_one_mail_and_a_refusal_ends_it(
    browser: Browser, post: Post, moto_aws: MotoAws
) -> None:
    ask(browser)
    moto_aws.ses.befall(*[refusal("TooManyRequestsException")] * 3)
    post.deliver()
    assert len(post.mails) == 1
    ask(browser)
    moto_aws.ses.befall(refusal("MessageRejected"))
    post.deliver()
    assert len(post.mails) == 1
    assert post.dead_letters == []


@pytest.mark.req("R02")
def test_a_mail_that_comes_too_late_is_none(browser: Browser, post: Post, clock: FakeClock) -> None:
    ask(browser)
    (message,) = post.route()
    clock.advance(USABLE_FOR)
    assert post.work(str(message))
    assert post.mails == []


# --- looking ---


@pytest.mark.req("L05", "L19")
@pytest.mark.parametrize("address", ASK.values())
def test_looking_changes_nothing(
    browser: Browser, function: LoadFunction, mailed: Callable[..., str], moto_aws: MotoAws, address: str
) -> None:
    # given
    link = mailed(address=address)
    before = moto_aws.stored("PassesTable")
    # when: scanners of all kinds, and a POST without a form of ours
    headers: list[Mapping[str, str]] = [{}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}]
    for method in ("GET", "HEAD"):
        for one in headers:
            answer = Browser(function).ask(link, method, headers=dict(one))
            assert answer["statusCode"] == 200
            assert (answer["body"] == "") is (method == "HEAD")
    assert Browser(function).ask(link, "POST", body="password=made-up-by-a-robot")["statusCode"] == 403
    # then
    assert moto_aws.stored("PassesTable") == before
    fields = {"password": NEW_PASSWORD} if address == ASK["password"] else {}
    assert header(click(browser, link, **fields), "location") == "/dashboard"
    assert browser.cookie is not None


# --- signing in ---


@pytest.mark.req("L15", "L13", "L06")
@pytest.mark.parametrize(
    ("way", "target"),
    [
        ("", "/dashboard"),
        ("?launch=1&scrollTo=22222222", "/dashboard?scrollTo=22222222&launch=1"),
        ("?next=%2Fs%2F22222222%3Fkept%3Da%2526b&launch=1", "/s/22222222?kept=a%26b&launch=1"),
        ("?next=%2Fjoin%2F123456789&passkey=4cfb%26x&utm=1", "/join/123456789?passkey=4cfb%26x"),
    ],
)
def test_a_click_signs_in_and_goes_on(browser: Browser, mailed: Callable[..., str], way: str, target: str) -> None:
    link = mailed(address=ASK["sign_in"] + way)
    answer = click(browser, link)
    assert (answer["statusCode"], header(answer, "location")) == (303, target)
    assert header(answer, "referrer-policy") == "no-referrer"
    assert header(answer, "cache-control") == "no-store"
    (cookie,) = answer["multiValueHeaders"]["Set-Cookie"]
    for rule in ("Path=/", "Secure", "HttpOnly", "SameSite=Lax"):
        assert rule in cookie
    assert "Maria Lindqvist" in text_of(browser.ask("/dashboard"))


@pytest.mark.req("L07")
@pytest.mark.parametrize(
    "next_path",
    [
        "//evil.example", "/\\evil.example", "%2f%2fevil.example", "https:evil.example", "https://evil.example",
        "https://clinic.hub.vestibule.example@evil.example", "/dashboard\r\nSet-Cookie: a=b", "javascript:alert(1)",
        "/dashboard/../../evil", "/\uff0e\uff0e/evil",
    ],
)  # fmt: skip
def test_next_never_leaves_the_hub(browser: Browser, mailed: Callable[..., str], next_path: str) -> None:
    """Neither what was asked with, nor what somebody wrote into the link."""
    link = mailed(address=f"{ASK['sign_in']}?next={quote(next_path, safe='')}")
    assert "evil" not in link
    tampered = f"{link.partition('?')[0]}?next={quote(next_path, safe='')}"
    target = header(click(browser, tampered), "location") or ""
    assert target.partition("?")[0] == "/dashboard"
    assert "evil" not in target


def test_a_way_too_long_for_a_mail_leads_to_the_dashboard(browser: Browser, mailed: Callable[..., str]) -> None:
    assert "?" not in mailed(address=f"{ASK['sign_in']}?next=%2Fcheck%3Fx%3D{'y' * 2_000}")
    assert browser.cookie is None


@pytest.mark.req("L08", "L12")
@pytest.mark.parametrize("address", ASK.values())
def test_a_link_ends_after_15_minutes_and_all_that_are_dead_look_alike(
    browser: Browser, mailed: Callable[..., str], clock: FakeClock, function: LoadFunction, address: str
) -> None:
    fields = {"password": NEW_PASSWORD}
    # given: used, expired, unknown, of the other kind
    used = mailed(address=address)
    assert click(browser, used, **fields)["statusCode"] == 303
    browser.cookie = None
    expiring = mailed(address=address)
    stranger = Browser(function)
    page = stranger.ask(expiring)
    clock.advance(USABLE_FOR - 1 * SECOND)
    assert stranger.ask(expiring)["statusCode"] == 200
    clock.advance(1 * SECOND)
    other = next(one for one in ASK.values() if one != address)
    unknown = [f"{address}/{'x' * 43}", f"{address}/x", f"{address}/{'x' * 42}%00"]
    swapped = [f"{other}/{urlsplit(mailed(address=address)).path.rpartition('/')[2]}"]
    # when
    looked = [stranger.ask(one) for one in (used, expiring, *unknown)]
    posted = [stranger.post(one, page, **fields) for one in (used, expiring, *unknown)]
    # then
    assert all(answer == looked[0] for answer in (*looked, *posted))
    assert looked[0]["statusCode"] == 403
    assert REFUSED in text_of(looked[0])
    assert f'href="{address}"' in looked[0]["body"]
    assert stranger.cookie is None
    assert stranger.ask(swapped[0])["statusCode"] == 403


@pytest.mark.req("L01", "L09", "L10")
def test_the_same_browser_again_is_one_sign_in_and_another_is_recorded(
    browser: Browser, function: LoadFunction, mailed: Callable[..., str], moto_aws: MotoAws, user: User
) -> None:
    # given: two clicks that leave the browser before the first answer is there
    link = mailed()
    page = browser.ask(link)
    first = browser.post(link, page)
    cookie, browser.cookie = browser.cookie, None
    second = browser.post(link, page)
    assert browser.cookie == cookie
    assert second == first
    # and back, and reload
    assert header(browser.ask(link), "location") == "/dashboard"
    # when: somebody else has the mail as well
    other = Browser(function)
    assert other.post(link, other.ask("/sign-in"))["statusCode"] == 403
    assert other.cookie is None
    # then
    kinds = [unpack(item)["kind"] for item in moto_aws.stored("JournalTable")]
    assert sorted(kinds) == ["mailed_link.reused", "mailed_link.signed_in"]
    assert all(unpack(item)["facts"]["user_id"] == user.user_id for item in moto_aws.stored("JournalTable"))
    assert json_of(browser.ask("/sign-in/state")) == {"state": "here"}
    # and once signed out, it is over for its own browser as well
    browser.post("/logout", browser.ask("/dashboard"))
    assert browser.ask(link)["statusCode"] == 403
    assert browser.post(link, page)["statusCode"] == 403


@pytest.mark.req("L10")
def test_reuse_ends_the_first_sign_in_where_the_account_wants_that(
    browser: Browser, function: LoadFunction, mailed: Callable[..., str], house: House, account: Account
) -> None:
    house.accounts.change(account.account_id, {"revoke_on_reuse": True})
    link = mailed()
    click(browser, link)
    other = Browser(function)
    other.post(link, other.ask("/sign-in"))
    assert json_of(browser.ask("/sign-in/state")) == {"state": "none"}


@pytest.mark.req("L13")
def test_who_was_signed_in_before_is_signed_out_and_the_page_says_who_is_now(
    browser: Browser, function: LoadFunction, house: House, account: Account, mailed: Callable[..., str]
) -> None:
    # given
    add_user(house, account, full_name="Ben Okafor", username="ben", email="ben@example.org")
    bens = mailed("ben")
    click(browser, mailed())
    former = Browser(function)
    former.cookie = browser.cookie
    # when
    answer = click(browser, bens)
    # then
    assert header(answer, "location") == "/dashboard?switched=1"
    assert "signed in as Ben Okafor" in text_of(browser.ask("/dashboard?switched=1"))
    assert json_of(former.ask("/sign-in/state")) == {"state": "none"}


@pytest.mark.req("L14", "L16")
@pytest.mark.parametrize("what", ["disabled", "deleted", "signed_out", "readdressed"])
def test_a_link_dies_with_what_it_rests_on(
    browser: Browser,
    house: House,
    account: Account,
    user: User,
    mailed: Callable[..., str],
    clock: FakeClock,
    what: str,
) -> None:
    link = mailed()
    clock.advance(SECOND)
    if what == "disabled":
        house.users.change(account.account_id, user.user_id, {"status": Status.DISABLED})
    elif what == "deleted":
        house.users.delete(account.account_id, user.user_id)
    elif what == "signed_out":
        house.users.sign_out_everywhere(account.account_id, user.user_id)
    else:
        house.users.change(account.account_id, user.user_id, {"email": "else@example.org"})
    answer = browser.post(link, browser.ask("/sign-in"))
    assert answer["statusCode"] == 403
    assert browser.cookie is None


@pytest.mark.req("L20")
def test_a_link_opens_on_its_own_accounts_host_alone(
    function: LoadFunction, house: House, mailed: Callable[..., str]
) -> None:
    open_account(house, "other")
    link, elsewhere = mailed(), Browser(function, "other")
    assert elsewhere.ask(link)["statusCode"] == 403
    assert elsewhere.post(link, elsewhere.ask("/sign-in"))["statusCode"] == 403
    assert Browser(function, "nobodys").ask(link)["statusCode"] == 404


@pytest.mark.req("L11", "R01")
def test_a_lost_answer_and_an_outage_lose_no_link(browser: Browser, mailed: Callable[..., str], wire: Wire) -> None:
    # given
    link = mailed()
    page = browser.ask(link)
    # when
    wire.fail("TransactWriteItems", "InternalServerError")
    assert browser.post(link, page)["statusCode"] == 503
    assert browser.cookie is None
    # then: the next click works, though the answer to its write is lost
    wire.lose_answer("TransactWriteItems")
    assert header(browser.post(link, page), "location") == "/dashboard"
    assert json_of(browser.ask("/sign-in/state")) == {"state": "here"}


# --- a password ---


@pytest.mark.req("L17", "L14")
def test_a_password_is_chosen_and_the_other_sign_ins_are_over(
    browser: Browser, function: LoadFunction, mailed: Callable[..., str], house: House, account: Account, user: User
) -> None:
    # given: somebody else holds a sign-in, and links that were mailed before
    thief = Browser(function)
    click(thief, mailed())
    unused = mailed()
    link = mailed(ADDRESS, f"{ASK['password']}?next=%2Fs%2F22222222&launch=1")
    # when: too short first, which costs nothing
    page = browser.ask(link)
    short = browser.post(link, page, password="short")
    assert short["statusCode"] == 422
    assert "8 to 128 characters" in text_of(short)
    answer = browser.post(link, page, password=NEW_PASSWORD)
    # then: signed in and on the way, the others out, the password right, and the link used up
    assert (answer["statusCode"], header(answer, "location")) == (303, "/s/22222222?launch=1")
    assert json_of(browser.ask("/sign-in/state")) == {"state": "here"}
    assert json_of(thief.ask("/sign-in/state")) == {"state": "none"}
    stored = house.users.get(account.account_id, user.user_id)
    assert passwords.is_right(NEW_PASSWORD, stored.password_hash)
    assert stored.version == user.version + 1
    for dead in (unused, link):
        assert thief.post(dead, thief.ask("/sign-in"), password=PASSWORD)["statusCode"] == 403
    assert passwords.is_right(NEW_PASSWORD, house.users.get(account.account_id, user.user_id).password_hash), (
        "and nobody has changed it since"
    )


@pytest.mark.req("L17")
def test_a_user_who_is_changed_meanwhile_keeps_the_change(
    browser: Browser, mailed: Callable[..., str], house: House, account: Account, user: User, wire: Wire
) -> None:
    link = mailed(address=ASK["password"])
    page = browser.ask(link)
    wire.before(
        "TransactWriteItems",
        lambda: house.users.change(account.account_id, user.user_id, {"full_name": "Maria Berg"}),
    )
    assert browser.post(link, page, password=NEW_PASSWORD)["statusCode"] == 303
    stored = house.users.get(account.account_id, user.user_id)
    assert stored.full_name == "Maria Berg"
    assert passwords.is_right(NEW_PASSWORD, stored.password_hash)


@pytest.mark.req("L17")
def test_a_sign_in_link_sets_no_password(
    browser: Browser, mailed: Callable[..., str], house: House, user: User
) -> None:
    token = urlsplit(mailed()).path.rpartition("/")[2]
    page = browser.ask("/sign-in")
    answer = browser.post(f"{ASK['password']}/{token}", page, password=NEW_PASSWORD)
    assert answer["statusCode"] == 403
    assert house.users.get(user.account_id, user.user_id).password_hash is None


@pytest.mark.req("L17")
def test_a_panel_only_account_has_its_links_too(house: House, function: LoadFunction, post: Post) -> None:
    strict = open_account(house, "clinic", launch_panel_only=True)
    add_user(house, strict, username="maria", email=ADDRESS)
    browser = Browser(function)
    assert ask(browser, address=f"{ASK['sign_in']}?scrollTo=22222222&launch=1")["statusCode"] == 303
    post.deliver()
    link = link_in(post.mails[-1])
    assert parse_qs(urlsplit(link).query) == {"next": ["/dashboard?scrollTo=22222222&launch=1"]}
    assert header(click(browser, link), "location") == "/dashboard?scrollTo=22222222&launch=1"


@pytest.mark.req("L01")
def test_what_a_click_costs(browser: Browser, mailed: Callable[..., str], wire: Wire) -> None:
    """Link and user are read, and one transaction is written."""
    link = mailed()
    page = browser.ask(link)
    with wire.counting() as calls:
        browser.post(link, page)
    assert [call.operation for call in calls] == ["GetItem", "GetItem", "TransactWriteItems"]
