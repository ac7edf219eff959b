"""The ways into a session, without a page: codes and their guessing, links, passes, passwords, roles, phases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.house import START, add_user, open_account
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain.entrances import Arrival, PasswordCheck, Refusal, code_in
from vestibule.domain.guesses import CODES, CODES_WITH_PASSKEY, SESSION_PASSWORDS, network_of
from vestibule.domain.participants import Invitee
from vestibule.domain.people import Person, role_of
from vestibule.domain.phases import OPENS_BEFORE, Phase, opens_at, phase_of
from vestibule.domain.rules import RuleError
from vestibule.domain.sessions import HostRef
from vestibule.errors import UnavailableError
from vestibule.model import Entrance, ParticipantRole, Status

if TYPE_CHECKING:
    from tests.support.house import FakeClock, MakeHouse, MotoAws, Wire
    from vestibule.model import Account, Participant, Session, User
    from vestibule.wiring import House

HOME = "203.0.113.7"
ELSEWHERE = "198.51.100.9"


@pytest.fixture
def host(house: House, account: Account) -> User:
    return add_user(house, account, full_name="Dr. Mia Lindqvist", email="mia@clinic.example", external_id="dr-1")


def plan(
    house: House, account: Account, host: User, *invitees: Invitee, **fields: Any
) -> tuple[Session, list[Participant]]:
    """Plan a session of an hour that starts in an hour, with its host first."""
    given = {"title": "Consultation", "starts_at": START + HOUR, **fields}
    return house.sessions.create(account.account_id, HostRef(host.user_id), given, invitees)


@pytest.fixture
def planned(house: House, account: Account, host: User) -> tuple[Session, list[Participant]]:
    return plan(house, account, host, Invitee(full_name="Ben Okafor", email="ben@example.org"))


def come(house: House, account: Account, code: str, passkey: str | None = None, address: str = HOME) -> Any:
    return house.entrances.by_code(account, code, passkey=passkey, address=address)


def wrong_codes(house: House, planned: tuple[Session, list[Participant]]) -> list[str]:
    """Give codes that nobody has."""
    taken = {house.links.connect_code(p) for p in planned[1]}
    return [code for code in map(str, range(500_000_000, 500_000_100)) if code not in taken]


# --- what a code looks like ---


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("111222333", "111222333"),
        (" 111 222\u00a0333 ", "111222333"),
        ("111-222\u2013333", "111222333"),
        ("\u200e111222333\u200b", "111222333"),
        ("000111222333", "111222333"),
        ("\u0661\u0661\u0661\u0662\u0662\u0662\u0663\u0663\u0663", "111222333"),
        ("\uff11\uff11\uff11222333", "111222333"),
        ("012345678", None),
        ("1112223334", None),
        ("11122233", None),
        ("11122233O", None),
        ("111222333\u00b2", None),  # NFKC makes a tenth digit of it
        ("111.222.333", None),
        ("111\n222333", None),
        ("", None),
        ("-" * 100 + "111222333", None),
    ],
)
@pytest.mark.req("S04")
def test_a_code_is_nine_digits_however_they_are_written(text: str, code: str | None) -> None:
    assert code_in(text) == code


@given(st.text(max_size=80))
@pytest.mark.req("S04")
def test_whatever_is_typed_is_nine_ascii_digits_or_no_code(text: str) -> None:
    found = code_in(text)
    assert found is None or (found.isascii() and found.isdigit() and len(found) == 9 and found[0] != "0")


# --- coming by code ---


@pytest.mark.req("S03")
def test_a_code_lets_its_participant_in(
    house: House, account: Account, planned: tuple[Session, list[Participant]]
) -> None:
    session, (host, guest) = planned
    # when
    as_host = come(house, account, house.links.connect_code(host))
    as_guest = come(house, account, house.links.connect_code(guest))
    # then
    assert as_host.session == as_guest.session == session
    assert (as_host.person.name, as_host.role) == ("Dr. Mia Lindqvist", ParticipantRole.HOST)
    assert (as_guest.person.name, as_guest.role) == ("Ben Okafor", ParticipantRole.ATTENDEE)
    assert as_guest.person.subject == f"participant:{guest.participant_id}"
    assert as_host.person.subject == f"user:{session.host_user_id}"


@pytest.mark.req("S03")
def test_a_code_opens_on_its_own_accounts_host_alone(
    house: House, account: Account, planned: tuple[Session, list[Participant]]
) -> None:
    other = open_account(house, "school")
    code = house.links.connect_code(planned[1][1])
    assert come(house, other, code) is Refusal.UNKNOWN
    assert isinstance(come(house, account, code), Arrival)


@pytest.mark.req("S03")
def test_a_removed_or_rotated_participants_code_is_no_code(
    house: House, account: Account, planned: tuple[Session, list[Participant]]
) -> None:
    # given
    session, (_, guest) = planned
    old = house.links.connect_code(guest)
    # when
    _, rotated = house.participants.rotate(account.account_id, session.session_id, guest.participant_id)
    # then
    assert come(house, account, old) is Refusal.UNKNOWN
    new = house.links.connect_code(rotated)
    assert isinstance(come(house, account, new), Arrival)
    # when
    house.participants.remove(account.account_id, session.session_id, guest.participant_id)
    # then
    assert come(house, account, new) is Refusal.UNKNOWN


@pytest.mark.req("L14", "S03")
def test_a_disabled_users_code_and_link_let_nobody_in(
    house: House, account: Account, host: User, planned: tuple[Session, list[Participant]]
) -> None:
    participant = planned[1][0]
    token = str(house.links.personal_token(participant))
    house.users.change(account.account_id, host.user_id, {"status": Status.DISABLED})
    assert come(house, account, house.links.connect_code(participant)) is Refusal.UNKNOWN
    assert house.entrances.by_link(account, token) is None


@pytest.mark.req("S03")
def test_a_passkey_is_checked_where_the_account_requires_one(
    house: House, account: Account, planned: tuple[Session, list[Participant]]
) -> None:
    guest = planned[1][1]
    code, passkey = house.links.connect_code(guest), house.links.passkey(guest)
    # given: not required, none is looked at
    assert isinstance(come(house, account, code, "wrong"), Arrival)
    # when
    strict = house.accounts.change(account.account_id, {"require_passkey": True})
    # then
    assert come(house, strict, code) is Refusal.PASSKEY_WANTED
    assert come(house, strict, code, "wrong") is Refusal.PASSKEY_WRONG
    assert come(house, strict, code, house.links.passkey(planned[1][0])) is Refusal.PASSKEY_WRONG
    assert isinstance(come(house, strict, code, f" {passkey.upper()} "), Arrival)


@pytest.mark.req("S03")
def test_a_code_costs_the_same_however_many_take_part(house: House, account: Account, host: User, wire: Wire) -> None:
    crowd = [Invitee(full_name=f"Guest {number}") for number in range(30)]
    _, people = plan(house, account, host, *crowd)
    code = house.links.connect_code(people[7])
    come(house, account, code)
    with wire.counting() as calls:
        assert isinstance(come(house, account, code), Arrival)
    assert [call.operation for call in calls] == ["UpdateItem", "GetItem", "GetItem", "BatchGetItem", "UpdateItem"]


# --- guessing ---


@pytest.mark.req("S04")
def test_the_twentieth_wrong_code_blocks_its_network_for_an_hour(
    house: House, account: Account, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    # given
    right = house.links.connect_code(planned[1][1])
    passkey = house.links.passkey(planned[1][1])
    wrong = wrong_codes(house, planned)
    # when: twenty wrong ones, right ones between them
    for code in wrong[:20]:
        assert isinstance(come(house, account, right), Arrival)
        assert come(house, account, code) is Refusal.UNKNOWN
    # then: right and wrong look alike from there
    assert come(house, account, right) is Refusal.BLOCKED
    assert come(house, account, wrong[20]) is Refusal.BLOCKED
    assert come(house, account, right, "wrong") is Refusal.BLOCKED
    assert come(house, account, wrong[20], passkey) is Refusal.BLOCKED
    # but the passkey opens, and other networks are not concerned
    assert isinstance(come(house, account, right, passkey), Arrival)
    assert isinstance(come(house, account, right, address=ELSEWHERE), Arrival)
    # and trying on makes it no longer
    clock.advance(HOUR - 1)
    assert come(house, account, right) is Refusal.BLOCKED
    clock.advance(1)
    assert isinstance(come(house, account, right), Arrival)


@pytest.mark.req("S04")
def test_made_up_passkeys_are_no_way_to_guess_past_the_block(
    house: House, account: Account, wire: Wire, planned: tuple[Session, list[Participant]]
) -> None:
    """Not even by how long an answer takes: beyond the limit nothing is looked up."""
    right, passkey = house.links.connect_code(planned[1][1]), house.links.passkey(planned[1][1])
    for code in wrong_codes(house, planned)[:40]:
        come(house, account, code, "made up")
    with wire.counting() as calls:
        assert come(house, account, right, passkey) is Refusal.BLOCKED
    assert {call.operation for call in calls} == {"UpdateItem"}
    # the operator lifts that as well
    house.guesses.lift(CODES_WITH_PASSKEY, network_of(HOME))
    for _ in range(30):
        assert isinstance(come(house, account, right, passkey), Arrival)


@pytest.mark.req("S04")
def test_wrong_codes_are_forgotten_after_an_hour(
    house: House, account: Account, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    wrong = wrong_codes(house, planned)
    for code in wrong[:19]:
        come(house, account, code)
    clock.advance(HOUR)
    for code in wrong[:20]:
        assert come(house, account, code) is Refusal.UNKNOWN
    assert come(house, account, wrong[0]) is Refusal.BLOCKED


@pytest.mark.req("S04")
def test_a_block_that_begins_late_in_the_hour_is_a_whole_one(
    house: House, account: Account, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    wrong = wrong_codes(house, planned)
    come(house, account, wrong[0])
    clock.advance(HOUR - 1)
    for code in wrong[:19]:
        come(house, account, code)
    clock.advance(HOUR - 1)
    assert come(house, account, wrong[0]) is Refusal.BLOCKED
    clock.advance(1)
    assert come(house, account, wrong[0]) is Refusal.UNKNOWN


@pytest.mark.req("S04")
def test_a_text_that_can_be_no_code_is_no_guess(
    house: House, account: Account, planned: tuple[Session, list[Participant]]
) -> None:
    for _ in range(30):
        assert come(house, account, "12345") is Refusal.MALFORMED
    assert isinstance(come(house, account, house.links.connect_code(planned[1][1])), Arrival)


@pytest.mark.req("S04")
def test_no_guess_is_judged_that_was_not_counted(
    house: House, account: Account, wire: Wire, moto_aws: MotoAws, planned: tuple[Session, list[Participant]]
) -> None:
    """A burst of parallel guesses has as many tries as the limit says, and no more."""
    wrong = wrong_codes(house, planned)
    looked_up: list[str] = []
    # when: each guess begins while the ones before it have been counted and not judged yet
    for index in range(1, 30):

        def guess(code: str = wrong[index]) -> None:
            looked_up.append(come(house, account, code))

        wire.before("GetItem", guess)
    come(house, account, wrong[0])
    # then
    assert len([found for found in looked_up if found is Refusal.UNKNOWN]) == 19
    assert [found for found in looked_up if found is Refusal.BLOCKED]
    (counter,) = [item for item in moto_aws.stored("PassesTable") if item["pk"]["S"].startswith("guesses#")]
    assert counter["guesses"] == {"N": "20"}
    assert HOME not in str(counter)


@pytest.mark.req("S04")
def test_beginning_to_count_is_no_race(
    house: House, make_house: MakeHouse, account: Account, wire: Wire, planned: tuple[Session, list[Participant]]
) -> None:
    wrong = wrong_codes(house, planned)
    other = make_house(2)
    # when: somebody else begins between the look at the counter and its first write
    wire.before("PutItem", lambda: come(other, account, wrong[1]))
    come(house, account, wrong[0])
    # then: both count
    for code in wrong[2:20]:
        assert come(house, account, code) is Refusal.UNKNOWN
    assert come(house, account, wrong[20]) is Refusal.BLOCKED


@pytest.mark.req("S04", "R01")
def test_a_table_that_cannot_count_judges_nothing(
    house: House, account: Account, wire: Wire, planned: tuple[Session, list[Participant]]
) -> None:
    code = house.links.connect_code(planned[1][1])
    wire.fail("UpdateItem", "ProvisionedThroughputExceededException", times=3)
    with pytest.raises(UnavailableError):
        come(house, account, code)


@pytest.mark.req("S04")
def test_an_operator_lifts_a_block(house: House, account: Account, planned: tuple[Session, list[Participant]]) -> None:
    for code in wrong_codes(house, planned)[:21]:
        come(house, account, code)
    right = house.links.connect_code(planned[1][1])
    assert come(house, account, right) is Refusal.BLOCKED
    assert house.guesses.lift(CODES, network_of(HOME))
    assert isinstance(come(house, account, right), Arrival)
    assert not house.guesses.lift(CODES, network_of(ELSEWHERE))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
        ("203.0.113.7, 10.0.0.1", "unknown"),
        ("203.0.113.007", "unknown"),
    ],
)
@pytest.mark.req("S04")
def test_a_network_is_an_address_or_a_64(address: str, network: str) -> None:
    assert network_of(address) == network


# --- personal links ---


@pytest.mark.req("S02")
def test_a_personal_link_lets_in_and_writes_nothing(
    house: House, account: Account, wire: Wire, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    token = str(house.links.personal_token(guest))
    # when
    with wire.counting() as calls:
        first = house.entrances.by_link(account, token)
        second = house.entrances.by_link(account, token)
    # then
    assert first is not None
    assert first == second
    assert (first.session, first.person.name) == (session, "Ben Okafor")
    assert [call.operation for call in calls] == ["GetItem", "BatchGetItem"] * 2


@pytest.mark.req("S02")
def test_whatever_is_wrong_with_a_personal_link_is_one_refusal(
    house: House, account: Account, host: User, planned: tuple[Session, list[Participant]]
) -> None:
    session, (as_host, guest) = planned
    other_session, (_, same_guest) = plan(
        house, account, host, Invitee(full_name="Ben Okafor", email="ben@example.org")
    )
    token = house.links.personal_token(guest)
    right = str(token)
    stranger = open_account(house, "school")
    wrong = [
        "",
        "x",
        right[:-1],
        f"{right}A",
        right.swapcase(),
        right.replace("-", "/"),
        f"{other_session.session_id}-{token.participant_id}-{token.proof}",
        f"{session.session_id}-{as_host.participant_id}-{token.proof}",
        f"{session.session_id}-{same_guest.participant_id}-{token.proof}",
        f"{session.session_id}-99999999-{token.proof}",
        f"{session.session_id}-{'9' * 3_000}-{token.proof}",
    ]
    assert [house.entrances.by_link(account, text) for text in wrong] == [None] * len(wrong)
    assert house.entrances.by_link(stranger, right) is None
    # when
    house.participants.rotate(account.account_id, session.session_id, guest.participant_id)
    # then
    assert house.entrances.by_link(account, right) is None


@pytest.mark.req("S02")
def test_a_personal_link_follows_its_participant_to_a_new_address(
    house: House, account: Account, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    token = str(house.links.personal_token(guest))
    house.participants.change(
        account.account_id, session.session_id, guest.participant_id, {"email": "b.okafor@example.org"}
    )
    found = house.entrances.by_link(account, token)
    assert found is not None
    assert found.person.subject == f"participant:{guest.participant_id}"


# --- who is signed in, or has only a name ---


@pytest.mark.req("S01")
def test_a_signed_in_user_is_expected_where_they_take_part(
    house: House, account: Account, host: User, planned: tuple[Session, list[Participant]]
) -> None:
    session, _ = planned
    stranger = add_user(house, account, full_name="Nora Berg")
    as_host = house.entrances.by_sign_in(session.session_id, host)
    as_stranger = house.entrances.by_sign_in(session.session_id, stranger)
    assert as_host is not None
    assert as_stranger is not None
    assert (as_host.is_expected, as_host.role) == (True, ParticipantRole.HOST)
    assert (as_stranger.is_expected, as_stranger.person.name) == (False, "Nora Berg")
    assert house.entrances.by_sign_in("99999999", host) is None
    assert house.entrances.by_sign_in("not-an-id", host) is None


@pytest.mark.req("S01", "L18")
def test_a_user_who_was_removed_is_expected_no_more(house: House, account: Account, host: User) -> None:
    nora = add_user(house, account, full_name="Nora Berg", email="nora@clinic.example")
    session, (_, participant) = plan(
        house, account, host, Invitee(user_id=nora.user_id, role=ParticipantRole.PRESENTER)
    )
    code, token = house.links.connect_code(participant), str(house.links.personal_token(participant))
    house.participants.remove(account.account_id, session.session_id, participant.participant_id)
    found = house.entrances.by_sign_in(session.session_id, nora)
    assert found is not None
    assert (found.is_expected, found.role) == (False, ParticipantRole.ATTENDEE)
    assert house.entrances.by_link(account, token) is None
    assert come(house, account, code) is Refusal.UNKNOWN


@pytest.mark.req("S01")
def test_a_guest_gives_a_name_that_can_be_shown(house: House, planned: tuple[Session, list[Participant]]) -> None:
    session, _ = planned
    guest = house.entrances.by_name(session, "  Ada  ")
    assert guest.person.name == "Ada"
    assert guest.person.subject.startswith("guest:")
    assert guest.role is ParticipantRole.ATTENDEE
    for name in ("", " ", "a\u202eb", "x" * 201, "line\nbreak"):
        with pytest.raises(RuleError):
            house.entrances.by_name(session, name)


@pytest.mark.req("S01", "L17")
def test_a_sessions_password_is_asked_and_guessing_it_is_limited(
    house: House, account: Account, host: User, clock: FakeClock
) -> None:
    session, _ = plan(house, account, host, password="open sesame")
    check = house.entrances.check_password
    # right ones do not count
    for _ in range(SESSION_PASSWORDS.most + 1):
        assert check(session, "open sesame", address=HOME) is PasswordCheck.RIGHT
    for _ in range(SESSION_PASSWORDS.most):
        assert check(session, "open says me", address=HOME) is PasswordCheck.WRONG
    assert check(session, "open sesame", address=HOME) is PasswordCheck.BLOCKED
    assert check(session, "open sesame", address=ELSEWHERE) is PasswordCheck.RIGHT
    clock.advance(HOUR)
    assert check(session, "open sesame", address=HOME) is PasswordCheck.RIGHT


def test_a_session_without_a_password_asks_for_none(
    house: House, wire: Wire, planned: tuple[Session, list[Participant]]
) -> None:
    with wire.counting() as calls:
        assert house.entrances.check_password(planned[0], "", address=HOME) is PasswordCheck.RIGHT
    assert calls == []


# --- passes ---


@pytest.mark.req("S01", "S02")
def test_a_pass_brings_its_holder_back_to_its_session_alone(
    house: House, account: Account, host: User, clock: FakeClock, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    other, _ = plan(house, account, host)
    invited = house.entrances.by_link(account, str(house.links.personal_token(guest)))
    named = house.entrances.by_name(session, "Ada")
    assert invited is not None
    for arrival in (invited, named):
        # when
        kept = house.entrances.pass_of(arrival)
        # then
        assert house.entrances.by_pass(account, session.session_id, kept) == replace(arrival, entrance=Entrance.LINK)
        assert house.entrances.by_pass(account, other.session_id, kept) is None
        assert (
            house.entrances.by_pass(open_account(house, f"c{arrival.person.subject[-6:]}"), session.session_id, kept)
            is None
        )
        assert arrival.name not in kept
    kept = house.entrances.pass_of(named)
    clock.now = session.ends_at + HOUR
    assert house.entrances.by_pass(account, session.session_id, kept) is None


@pytest.mark.parametrize("text", [None, "", "x", "AAAA", "é" * 20, "A" * 5_000, "....", "A" * 40])
def test_what_is_no_pass_opens_nothing(
    house: House, account: Account, planned: tuple[Session, list[Participant]], text: str | None
) -> None:
    assert house.entrances.by_pass(account, planned[0].session_id, text) is None


@pytest.mark.req("S02")
def test_a_pass_ends_with_the_link_that_it_came_from(
    house: House, account: Account, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    arrival = house.entrances.by_link(account, str(house.links.personal_token(guest)))
    assert arrival is not None
    kept = house.entrances.pass_of(arrival)
    house.participants.rotate(account.account_id, session.session_id, guest.participant_id)
    assert house.entrances.by_pass(account, session.session_id, kept) is None


# --- roles ---


@pytest.mark.req("E03")
def test_a_role_is_decided_when_somebody_joins(
    house: House, account: Account, planned: tuple[Session, list[Participant]]
) -> None:
    session, (_, guest) = planned
    token = str(house.links.personal_token(guest))

    def role() -> ParticipantRole:
        found = house.entrances.by_link(account, token)
        assert found is not None
        return found.role

    assert role() is ParticipantRole.ATTENDEE
    house.sessions.change(account.account_id, session.session_id, {"presenters": ["BEN@example.org"]})
    assert role() is ParticipantRole.PRESENTER
    house.sessions.change(account.account_id, session.session_id, {"presenters": [], "organizers": ["ben@example.org"]})
    assert role() is ParticipantRole.ORGANIZER
    house.sessions.change(account.account_id, session.session_id, {"organizers": []})
    house.participants.change(
        account.account_id, session.session_id, guest.participant_id, {"role": ParticipantRole.OBSERVER}
    )
    assert role() is ParticipantRole.OBSERVER


@pytest.mark.req("E03")
def test_a_user_is_known_by_each_of_their_names(house: House, account: Account, host: User) -> None:
    session, _ = plan(house, account, host)
    nora = add_user(house, account, full_name="Nora Berg", email="nora@clinic.example", external_id="nurse-7")
    for name in (nora.user_id, "nora@CLINIC.example", "nurse-7"):
        session, _ = house.sessions.change(account.account_id, session.session_id, {"presenters": [name]})
        found = house.entrances.by_sign_in(session.session_id, nora)
        assert found is not None
        assert found.role is ParticipantRole.PRESENTER, name


@pytest.mark.req("E11")
def test_nobody_becomes_more_by_the_name_that_they_type(house: House, account: Account, host: User) -> None:
    session, _ = plan(house, account, host, presenters=["nora@clinic.example"])
    assert house.entrances.by_name(session, "nora@clinic.example").role is ParticipantRole.ATTENDEE


@pytest.mark.req("E03")
def test_a_portals_id_counts_to_the_letter(house: House, account: Account, host: User) -> None:
    session, _ = plan(house, account, host, presenters=["Nurse-7"])
    nora = add_user(house, account, full_name="Nora Berg", external_id="nurse-7")
    found = house.entrances.by_sign_in(session.session_id, nora)
    assert found is not None
    assert found.role is ParticipantRole.ATTENDEE


@pytest.mark.req("E03")
def test_a_user_is_also_known_by_what_they_were_invited_under(house: House, account: Account, host: User) -> None:
    # given: another address than the registered one
    nora = add_user(house, account, full_name="Nora Berg", email="nora@clinic.example")
    session, _ = plan(house, account, host, presenters=["nora@home.example"])
    invitee = Invitee(user_id=nora.user_id, email="Nora@Home.example")
    (invited,) = house.participants.add(account.account_id, session.session_id, [invitee])
    # when
    signed_in = house.entrances.by_sign_in(session.session_id, nora)
    by_link = house.entrances.by_link(account, str(house.links.personal_token(invited)))
    # then: presenter by either way, and one person for a seat
    assert signed_in is not None
    assert by_link is not None
    assert (signed_in.role, by_link.role) == (ParticipantRole.PRESENTER, ParticipantRole.PRESENTER)
    assert signed_in.person.key == by_link.person.key


@pytest.mark.req("E03")
def test_the_host_is_the_host_whatever_the_lists_say(house: House, account: Account, host: User) -> None:
    session, _ = plan(house, account, host, presenters=[host.user_id, "dr-1"])
    found = house.entrances.by_sign_in(session.session_id, host)
    assert found is not None
    assert found.role is ParticipantRole.HOST
    # and nobody by a portal's id that looks like the host's
    namesake = Person(user_id=host.user_id, own_id=f"participant:{host.user_id}")
    assert role_of(house.sessions.change(account.account_id, session.session_id, {"presenters": []})[0],
                   namesake) is ParticipantRole.ATTENDEE  # fmt: skip


# --- phases ---


@pytest.mark.req("S03")
def test_a_session_opens_shortly_before_its_start_and_closes_at_its_end(
    house: House, account: Account, planned: tuple[Session, list[Participant]]
) -> None:
    session, _ = planned
    moments = {
        START: Phase.UPCOMING,
        session.starts_at - OPENS_BEFORE - 1: Phase.UPCOMING,
        session.starts_at - OPENS_BEFORE: Phase.OPEN,
        session.starts_at - 1: Phase.OPEN,
        session.starts_at: Phase.RUNNING,
        session.ends_at - 1: Phase.RUNNING,
        session.ends_at: Phase.OVER,
        session.ends_at + DAY: Phase.OVER,
    }
    assert {moment: phase_of(session, moment) for moment in moments} == moments
    assert opens_at(session) == session.starts_at - 10 * MINUTE
    cancelled = house.sessions.cancel(account.account_id, session.session_id)
    assert {phase_of(cancelled, moment) for moment in moments} == {Phase.CANCELLED}
