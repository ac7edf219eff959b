"""Sessions, their participants, codes and links: rules and costs, on moto with a clock that stands still."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.house import START, add_user, open_account
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain import participants as participants_rules
from vestibule.domain.links import PersonalToken
from vestibule.domain.participants import ADDED_AT_ONCE, TOGETHER, Invitee
from vestibule.domain.sessions import Filter, HostRef
from vestibule.errors import ConflictError, InvalidError, NotFoundError, VersionMismatchError
from vestibule.model import ParticipantRole, SessionStatus
from vestibule.store.directory import keys
from vestibule.store.directory.sessions import session_item
from vestibule.store.table import Table

if TYPE_CHECKING:
    from tests.support.house import FakeClock, MakeHouse, MotoAws, Wire
    from vestibule.model import Account, Participant, Session, User
    from vestibule.settings import Settings
    from vestibule.store.codes import CodeStore
    from vestibule.wiring import House

TOMORROW = START + DAY


@pytest.fixture
def host(house: House, account: Account) -> User:
    return add_user(house, account, email="host@clinic.example", external_id="dr-1", time_zone="Europe/Berlin")


def plan(
    house: House, host: User, *invitees: Invitee, starts_at: int = TOMORROW, **fields: Any
) -> tuple[Session, list[Participant]]:
    given = {"title": "Consultation", "starts_at": starts_at, **fields}
    return house.sessions.create(host.account_id, HostRef(user_id=host.user_id), given, invitees)


def guest(number: int) -> Invitee:
    return Invitee(full_name=f"Guest {number}", email=f"guest{number}@example.org")


def code_store(house: House) -> CodeStore:
    return house.participants._codes  # noqa: SLF001 - what stands behind the codes is what the test asks about


# --- creating -------------------------------------------------------------------------------------------


def test_the_host_takes_part_first_and_by_itself(house: House, account: Account, host: User) -> None:
    session, participants = house.sessions.create(
        account.account_id, HostRef(external_id="dr-1"), {"title": "Consultation"}, [guest(1)]
    )

    assert [(p.role, p.full_name) for p in participants] == [
        (ParticipantRole.HOST, host.full_name),
        (ParticipantRole.ATTENDEE, "Guest 1"),
    ]
    assert session.starts_at == START
    assert (session.duration_minutes, session.time_zone) == (60, "Europe/Berlin")
    assert house.sessions.whole(account.account_id, session.session_id) == (session, participants)


@pytest.mark.req("S03")
def test_every_participant_has_a_code_of_nine_digits_that_leads_to_them(house: House, host: User) -> None:
    _, participants = plan(house, host, *map(guest, range(30)))

    codes = [house.links.connect_code(p) for p in participants]
    assert len(set(codes)) == len(codes)
    for participant, code in zip(participants, codes, strict=True):
        assert len(code) == 9
        assert code.isdigit()
        assert code[0] != "0"
        found = code_store(house).holder(house.links.code_mark(code))
        assert found == (host.account_id, participant.session_id, participant.participant_id)


@pytest.mark.req("S03")
def test_a_code_that_is_taken_is_drawn_anew(
    house: House, make_house: MakeHouse, host: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, (first, *_) = plan(house, host)
    taken = int(house.links.connect_code(first)) - 100_000_000
    other = make_house(seed=2)
    draws = iter([taken, taken, 7])
    real = other.random.randbelow
    monkeypatch.setattr(other.random, "randbelow", lambda n: next(draws) if n == 900_000_000 else real(n))

    _, (second, *_) = plan(other, host)

    assert other.links.connect_code(second) == "100000007"


def test_a_code_goes_to_somebody_else_only_after_its_session(house: House, host: User) -> None:
    session, (first, *_) = plan(house, host)
    mark = house.links.code_mark(house.links.connect_code(first))

    def claim(now: int) -> None:
        action = code_store(house).claiming(
            mark, account_id="1", session_id="2", participant_id="3", now=now, held_until=now + HOUR
        )
        house.sessions._store.write([action])  # noqa: SLF001

    with pytest.raises(Exception, match="condition"):
        claim(session.ends_at)
    claim(session.ends_at + HOUR)
    assert code_store(house).holder(mark) == ("1", "2", "3")


@pytest.mark.req("L04", "S02")
def test_nothing_that_lets_somebody_in_can_be_read_in_the_tables(
    house: House, account: Account, host: User, moto_aws: MotoAws, settings: Settings
) -> None:
    _, participants = plan(house, host, guest(1), password="open sesame")

    secrets = [
        text
        for p in participants
        for text in (
            house.links.connect_code(p),
            house.links.passkey(p),
            house.links.personal_token(p).proof,
        )
    ]
    stored = json.dumps([moto_aws.stored(t) for t in (settings.directory_table, settings.passes_table)], default=str)
    assert not [secret for secret in [*secrets, "open sesame"] if secret in stored]


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"starts_at": START - 5 * MINUTE - 1}, "starts_at", "in_the_past"),
        ({"starts_at": 7_258_118_400_000}, "starts_at", "out_of_range"),
        ({"duration_minutes": 0}, "duration_minutes", "out_of_range"),
        ({"duration_minutes": 525_601}, "duration_minutes", "out_of_range"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "unknown_time_zone"),
        ({"friendly_url": "a/b"}, "friendly_url", "invalid_friendly_url"),
        ({"password": "abc"}, "password", "invalid_length"),
        ({"metadata": {"x": "y" * 8_192}}, "metadata", "too_large"),
        ({"metadata": {"x": "\ud800"}}, "metadata", "invalid_character"),
        ({"metadata": {"x": [float("inf")]}}, "metadata", "out_of_range"),
        ({"extras": {"WaitTime": "x" * 2_049}}, "extras.WaitTime", "invalid_length"),
        ({"title": " "}, "title", "invalid_length"),
        ({"title": "a\u202eb"}, "title", "invalid_character"),
        ({"presenters": ["A@x.org"], "organizers": ["a@X.org"]}, "organizers", "both_roles"),
    ],
)
@pytest.mark.req("S07", "P04")
def test_a_field_that_breaks_a_rule_is_named_and_nothing_is_written(
    house: House, host: User, wire: Wire, *, fields: dict[str, Any], field: str, code: str
) -> None:
    with wire.counting() as calls, pytest.raises(InvalidError) as refused:
        plan(house, host, **fields)

    assert [(e.field, e.code) for e in refused.value.errors] == [(field, code)]
    assert not [call for call in calls if call.write_units]


def test_metadata_comes_back_as_it_was_sent(house: House, host: User) -> None:
    metadata = {"b": [1, 2.5, None, True], "a": {"ü": "😀"}}

    session, _ = plan(house, host, metadata=metadata)

    assert json.loads(house.sessions.get(host.account_id, session.session_id).metadata) == metadata


@pytest.mark.parametrize("name", ["external_id", "friendly_url"])
def test_a_taken_name_is_refused_and_nothing_is_left_of_the_session(
    house: House, host: User, *, moto_aws: MotoAws, settings: Settings, name: str
) -> None:
    taken: dict[str, Any] = {name: "annual-review"}
    plan(house, host, **taken)
    before = len(moto_aws.stored(settings.directory_table)), len(moto_aws.stored(settings.passes_table))

    with pytest.raises(ConflictError) as refused:
        plan(house, host, guest(1), **taken)

    assert refused.value.code == f"{name}_taken"
    after = len(moto_aws.stored(settings.directory_table)), len(moto_aws.stored(settings.passes_table))
    assert after == before


def test_a_host_must_be_an_active_user_of_the_account(house: House, host: User) -> None:
    house.users.change(host.account_id, host.user_id, {"status": "disabled"})

    for ref in (HostRef(user_id=host.user_id), HostRef(user_id="1"), HostRef(external_id="nobody")):
        with pytest.raises(InvalidError) as refused:
            house.sessions.create(host.account_id, ref, {"title": "Consultation"})
        assert refused.value.errors[0].code == "user_not_found"


# --- cost -----------------------------------------------------------------------------------------------


def test_creating_a_session_with_20_guests_is_one_transaction(house: House, host: User, wire: Wire) -> None:
    with wire.counting() as calls:
        plan(house, host, *map(guest, range(20)))

    assert [call.operation for call in calls] == ["GetItem", "GetItem", "TransactWriteItems"]
    assert len(calls[-1].request["TransactItems"]) == 1 + 1 + 21 * 3  # itself, how many, and three writes each


def test_a_hundred_guests_take_one_round_trip_per_hundred_items(
    house: House, account: Account, host: User, wire: Wire
) -> None:
    session, _ = plan(house, host)

    with wire.counting() as calls:
        house.participants.add(account.account_id, session.session_id, list(map(guest, range(ADDED_AT_ONCE))))

    writes = [call for call in calls if call.operation == "TransactWriteItems"]
    assert len(writes) == -(-ADDED_AT_ONCE // TOGETHER)
    assert [call.operation for call in calls if not call.write_units] == ["Query"]


def test_a_session_takes_so_many_people_and_no_more(
    house: House, account: Account, host: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert participants_rules.PARTICIPANTS_AT_MOST == 500
    monkeypatch.setattr(participants_rules, "PARTICIPANTS_AT_MOST", 40)  # moto grows slow with the real number
    session, _ = plan(house, host)
    house.participants.add(account.account_id, session.session_id, list(map(guest, range(39))))

    with pytest.raises(ConflictError) as refused:
        house.participants.add(account.account_id, session.session_id, [guest(40)])

    assert refused.value.code == "too_many_participants"
    assert len(house.participants.list_of(account.account_id, session.session_id)) == 40


def test_who_goes_makes_room_and_who_breaks_off_gives_it_back(
    house: House, account: Account, host: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: full but for one
    monkeypatch.setattr(participants_rules, "PARTICIPANTS_AT_MOST", 40)
    session, _ = plan(house, host)
    key = account.account_id, session.session_id
    known = house.participants.add(*key, list(map(guest, range(38))))
    # when: another call's people came after this one had looked
    gathering = house.participants.gathering(*key)
    house.participants.add(*key, [guest(38)])
    monkeypatch.setattr(house.participants, "gathering", lambda *_: gathering)
    with pytest.raises(ConflictError, match="at most"):
        house.participants.add(*key, [guest(39)])
    monkeypatch.undo()
    monkeypatch.setattr(participants_rules, "PARTICIPANTS_AT_MOST", 40)
    # then
    assert len(house.participants.list_of(*key)) == 40
    # and
    house.participants.remove(*key, known[0].participant_id)
    house.participants.add(*key, [guest(39)])
    with pytest.raises(ConflictError, match="at most"):
        house.participants.add(*key, [guest(40)])


def test_a_session_from_before_people_were_counted_is_counted_when_it_is_next_changed(
    house: House, account: Account, host: User, moto_aws: MotoAws, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(participants_rules, "PARTICIPANTS_AT_MOST", 5)
    session, _ = plan(house, host)
    key = account.account_id, session.session_id
    ben, _ = house.participants.add(*key, [guest(0), guest(1)])
    house.dynamodb.delete_item(TableName=settings.directory_table, Key=keys.head_count(*key))
    # when
    house.participants.remove(*key, ben.participant_id)
    # then: the host and one more
    (count,) = [row for row in moto_aws.stored(settings.directory_table) if row["sk"] == {"S": "count"}]
    assert count["people"] == {"N": "2"}


# --- listing --------------------------------------------------------------------------------------------


def test_a_list_is_in_the_order_of_the_start_whatever_the_shard(house: House, account: Account, host: User) -> None:
    starts = [TOMORROW + (7 * n % 23) * HOUR for n in range(23)]
    for at in starts:
        plan(house, host, starts_at=at)

    seen, after = [], None
    while True:
        page, after = house.sessions.page(account.account_id, Filter(), after=after, limit=5)
        seen += [session.starts_at for session in page]
        if after is None:
            break

    assert seen == sorted(starts)


def test_a_list_ends_exactly_with_its_last_page(house: House, account: Account, host: User) -> None:
    for n in range(4):
        plan(house, host, starts_at=TOMORROW + n * HOUR)

    first, after = house.sessions.page(account.account_id, Filter(), after=None, limit=2)
    second, end = house.sessions.page(account.account_id, Filter(), after=after, limit=2)

    assert len(first) == len(second) == 2
    assert end is None


def test_a_time_range_holds_its_start_and_not_its_end(house: House, account: Account, host: User) -> None:
    for n in range(4):
        plan(house, host, starts_at=TOMORROW + n * HOUR)

    wanted = Filter(starting=range(TOMORROW + HOUR, TOMORROW + 3 * HOUR))
    page, _ = house.sessions.page(account.account_id, wanted, after=None, limit=10)

    assert [s.starts_at for s in page] == [TOMORROW + HOUR, TOMORROW + 2 * HOUR]


def test_sessions_are_found_by_host_and_by_a_participants_address(house: House, account: Account, host: User) -> None:
    member = add_user(house, account, email="Mia@Example.org")
    as_user, _ = plan(house, host, Invitee(user_id=member.user_id))
    as_guest, _ = plan(house, host, Invitee(full_name="Mia", email="mia@example.org"), starts_at=TOMORROW + HOUR)
    other, _ = plan(house, member, guest(9), starts_at=TOMORROW + 2 * HOUR)

    def found(wanted: Filter) -> list[str]:
        page, _ = house.sessions.page(account.account_id, wanted, after=None, limit=10)
        return [session.session_id for session in page]

    assert found(Filter(host_user_id=host.user_id)) == [as_user.session_id, as_guest.session_id]
    assert found(Filter(participant_email="MIA@example.org")) == [
        as_user.session_id,
        as_guest.session_id,
        other.session_id,
    ]
    assert found(Filter(participant_email="nobody@example.org")) == []


def test_a_page_and_a_session_cost_the_same_among_ten_and_among_ten_thousand(
    house: House, account: Account, host: User, wire: Wire, moto_aws: MotoAws
) -> None:
    # given
    planned = [plan(house, host, starts_at=TOMORROW + n * MINUTE)[0] for n in range(10)]

    def cost() -> list[tuple[str, float]]:
        with wire.counting() as calls:
            page, _ = house.sessions.page(account.account_id, Filter(), after=None, limit=4)
            house.participants.gathering(account.account_id, planned[0].session_id)
        assert page == planned[:4]
        return [(call.operation, call.read_units) for call in calls]

    few = cost()
    # when: ten thousand more, as a stack of years has them
    later = (
        replace(planned[0], session_id=str(10_000_000 + n), starts_at=TOMORROW + DAY + n * MINUTE)
        for n in range(10_000)
    )
    moto_aws.fill("DirectoryTable", map(session_item, later))
    # then
    assert cost() == few
    assert {operation for operation, _ in few} == {"Query", "BatchGetItem"}


# --- changing -------------------------------------------------------------------------------------------


def test_a_change_of_what_somebody_else_changed_is_refused(house: House, account: Account, host: User) -> None:
    session, _ = plan(house, host)
    house.sessions.change(account.account_id, session.session_id, {"title": "First"}, seen=session.version)

    with pytest.raises(VersionMismatchError):
        house.sessions.change(account.account_id, session.session_id, {"title": "Second"}, seen=session.version)

    assert house.sessions.get(account.account_id, session.session_id).title == "First"


def test_a_change_that_meets_another_is_made_on_top_of_it(
    house: House, make_house: MakeHouse, account: Account, host: User, wire: Wire
) -> None:
    session, _ = plan(house, host)
    other = make_house(seed=2)

    def meanwhile() -> None:
        other.sessions.change(account.account_id, session.session_id, {"duration_minutes": 30})

    wire.before("PutItem", meanwhile)
    changed, _ = house.sessions.change(account.account_id, session.session_id, {"title": "Both"})

    assert (changed.title, changed.duration_minutes) == ("Both", 30)


@pytest.mark.req("S07")
def test_a_past_start_is_refused_only_when_it_changes(
    house: House, account: Account, host: User, clock: FakeClock
) -> None:
    session, _ = plan(house, host)
    clock.advance(2 * DAY)

    unchanged, _ = house.sessions.change(
        account.account_id, session.session_id, {"starts_at": session.starts_at, "title": "Notes"}
    )
    with pytest.raises(InvalidError) as refused:
        house.sessions.change(account.account_id, session.session_id, {"starts_at": session.starts_at + 1})

    assert unchanged.title == "Notes"
    assert refused.value.errors[0].code == "in_the_past"


def test_moving_a_session_moves_its_lists_and_holds_its_codes_longer(
    house: House, account: Account, host: User
) -> None:
    session, (_, person) = plan(house, host, guest(1))
    later = TOMORROW + 30 * DAY

    moved, found = house.sessions.change(account.account_id, session.session_id, {"starts_at": later})

    wanted = Filter(participant_email="guest1@example.org", starting=range(later, later + 1))
    page, _ = house.sessions.page(account.account_id, wanted, after=None, limit=10)
    assert page == [moved]
    assert [p.participant_id for p in found.participants][1] == person.participant_id
    mark = house.links.code_mark(house.links.connect_code(person))
    stored = code_store(house)._table.get({"pk": {"S": f"code#{mark}"}})  # noqa: SLF001
    assert stored is not None
    assert stored["held_until"] == moved.ends_at + HOUR
    assert house.links.connect_code(found.participants[1]) == house.links.connect_code(person)


def test_who_is_changed_while_a_session_moves_moves_with_it(
    house: House, make_house: MakeHouse, account: Account, host: User, wire: Wire
) -> None:
    # given
    session, (_, person) = plan(house, host, guest(1))
    later = TOMORROW + 30 * DAY
    other = make_house(seed=2)

    def meanwhile() -> None:
        other.participants.change(account.account_id, session.session_id, person.participant_id, {"phone": "030 1234"})

    # when: the session is written, its people are not yet
    wire.before("TransactWriteItems", meanwhile)
    moved, found = house.sessions.change(account.account_id, session.session_id, {"starts_at": later})

    # then
    assert found.participants[1].phone == "030 1234"
    wanted = Filter(participant_email="guest1@example.org", starting=range(later, later + 1))
    assert house.sessions.page(account.account_id, wanted, after=None, limit=10)[0] == [moved]


def test_a_cancelled_session_stays_and_changes_no_more(house: House, account: Account, host: User) -> None:
    session, _ = plan(house, host)

    cancelled = house.sessions.cancel(account.account_id, session.session_id)

    assert cancelled.status is SessionStatus.CANCELLED
    assert house.sessions.cancel(account.account_id, session.session_id) == cancelled
    with pytest.raises(ConflictError, match="session_cancelled"):
        house.sessions.change(account.account_id, session.session_id, {"title": "Again"})
    with pytest.raises(ConflictError, match="session_cancelled"):
        house.participants.add(account.account_id, session.session_id, [guest(1)])


# --- another host ---------------------------------------------------------------------------------------


def hosts_of(house: House, session: Session) -> list[str | None]:
    return [
        one.user_id
        for one in house.participants.list_of(session.account_id, session.session_id)
        if one.role is ParticipantRole.HOST
    ]


def test_a_session_is_there_before_every_replica_knows_it(
    house: House, account: Account, host: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    house.key_rotation.run()
    session, _ = plan(house, host)
    read = Table.get

    def lagging(table: Table, key: Any, *, consistent: bool = False) -> dict[str, Any] | None:
        return read(table, key, consistent=True) if consistent else None

    monkeypatch.setattr(Table, "get", lagging)
    # then
    place = (account.account_id, session.session_id)
    assert house.attendance.page(*place, after=None, limit=10) == ([], None)
    assert house.presence.page(*place, after=None, limit=10).people == []
    assert house.embed_issuer.create(account, session.session_id, {"user_id": "mrn-1"}).token


@pytest.mark.req("D01")
def test_another_host_takes_the_place_of_the_one_before(house: House, account: Account, host: User) -> None:
    session, (former, invited) = plan(house, host, guest(1))
    other = add_user(house, account, full_name="Grace Hopper", email="grace@clinic.example", external_id="dr-2")

    after, people = house.sessions.hand_over(account.account_id, session.session_id, HostRef(external_id="dr-2"))

    assert (after.host_user_id, after.version) == (other.user_id, session.version + 1)
    assert [(one.role, one.full_name) for one in people] == [
        (ParticipantRole.HOST, "Grace Hopper"),
        (ParticipantRole.ATTENDEE, "Guest 1"),
    ]
    assert people[1] == replace(invited, version=invited.version + 1)
    assert code_store(house).holder(house.links.code_mark(house.links.connect_code(former))) is None
    assert code_store(house).holder(house.links.code_mark(house.links.connect_code(people[0])))
    lists = [
        house.sessions.page(account.account_id, Filter(host_user_id=one.user_id), after=None, limit=10)[0]
        for one in (host, other)
    ]
    assert lists == [[], [after]]
    assert house.sessions.hand_over(account.account_id, after.session_id, HostRef(user_id=other.user_id)) == (
        after,
        people,
    )


@pytest.mark.req("D01")
def test_somebody_who_takes_part_and_becomes_host_keeps_code_and_links(
    house: House, account: Account, host: User
) -> None:
    other = add_user(house, account, full_name="Grace Hopper")
    session, (_, before) = plan(house, host, Invitee(user_id=other.user_id))

    _, (after,) = house.sessions.hand_over(account.account_id, session.session_id, HostRef(user_id=other.user_id))

    assert (after.participant_id, after.role) == (before.participant_id, ParticipantRole.HOST)
    assert house.links.connect_code(after) == house.links.connect_code(before)
    assert house.links.personal_token(after) == house.links.personal_token(before)


@pytest.mark.req("D01", "P05")
def test_a_session_is_not_handed_to_nobody(house: House, account: Account, host: User) -> None:
    session, _ = plan(house, host, guest(1))
    stranger = add_user(house, open_account(house, slug="elsewhere"), full_name="Stranger")
    namesake = add_user(house, account, full_name="Other", email="guest1@example.org")

    def hand_over(user_id: str) -> None:
        house.sessions.hand_over(account.account_id, session.session_id, HostRef(user_id=user_id))

    with pytest.raises(InvalidError):
        hand_over(stranger.user_id)
    with pytest.raises(ConflictError, match="participant_exists"):
        hand_over(namesake.user_id)
    assert hosts_of(house, session) == [host.user_id]
    house.sessions.cancel(account.account_id, session.session_id)
    with pytest.raises(ConflictError, match="session_cancelled"):
        hand_over(host.user_id)


@pytest.mark.req("D01")
@pytest.mark.parametrize("is_guest", [False, True])
def test_two_new_hosts_at_once_leave_one_of_them(
    house: House, make_house: MakeHouse, account: Account, host: User, wire: Wire, *, is_guest: bool
) -> None:
    first, second = (add_user(house, account, full_name=name) for name in ("First One", "Second One"))
    session, _ = plan(house, host, *([Invitee(user_id=first.user_id)] if is_guest else []))
    other = make_house(seed=2)

    def meanwhile() -> None:
        other.sessions.hand_over(account.account_id, session.session_id, HostRef(user_id=second.user_id))

    wire.before("TransactWriteItems", meanwhile)
    with pytest.raises(ConflictError):
        house.sessions.hand_over(account.account_id, session.session_id, HostRef(user_id=first.user_id))

    assert house.sessions.get(account.account_id, session.session_id).host_user_id == second.user_id
    assert hosts_of(house, session) == [second.user_id]


# --- participants ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again",
    [
        Invitee(full_name="Doctor", email="HOST@clinic.example"),
        Invitee(full_name="Other name", email="guest1@EXAMPLE.org"),
        Invitee(full_name="walk-in"),
    ],
)
def test_nobody_takes_part_twice(house: House, account: Account, host: User, again: Invitee) -> None:
    session, _ = plan(house, host, guest(1), Invitee(full_name="Walk-In"))

    with pytest.raises(ConflictError) as refused:
        house.participants.add(account.account_id, session.session_id, [guest(2), again])

    assert refused.value.code == "participant_exists"
    assert len(house.participants.list_of(account.account_id, session.session_id)) == 3


def test_two_calls_at_once_add_a_person_once_and_leave_nothing_half_done(
    house: House, make_house: MakeHouse, account: Account, host: User, wire: Wire
) -> None:
    session, _ = plan(house, host)
    other = make_house(seed=2)
    people = list(map(guest, range(TOGETHER + 5)))

    def meanwhile() -> None:
        other.participants.add(account.account_id, session.session_id, [people[-1]])

    wire.before("TransactWriteItems", meanwhile)
    with pytest.raises(ConflictError, match="participant_exists"):
        house.participants.add(account.account_id, session.session_id, people)

    names = [p.full_name for p in house.participants.list_of(account.account_id, session.session_id)]
    assert names == [host.full_name, people[-1].full_name]


def test_who_is_changed_while_a_call_that_failed_is_taken_back_goes_all_the_same(
    house: House, make_house: MakeHouse, account: Account, host: User, wire: Wire
) -> None:
    # given
    session, _ = plan(house, host)
    other, of_session = make_house(seed=2).participants, (account.account_id, session.session_id)
    people = list(map(guest, range(TOGETHER + 5)))

    def change_one() -> None:
        other.change(*of_session, other.list_of(*of_session)[1].participant_id, {"full_name": "Anna"})

    # when: the other's own write takes a place in line too
    wire.before("TransactWriteItems", lambda: other.add(*of_session, [people[-1]]))
    wire.before("TransactWriteItems", lambda: None, times=2)
    wire.before("TransactWriteItems", change_one)
    with pytest.raises(ConflictError, match="participant_exists"):
        house.participants.add(*of_session, people)

    # then
    names = [p.full_name for p in house.participants.list_of(*of_session)]
    assert names == [host.full_name, people[-1].full_name]


def test_a_participant_changes_under_the_same_id_and_links(house: House, account: Account, host: User) -> None:
    session, (_, before) = plan(house, host, guest(1))

    _, after = house.participants.change(
        account.account_id,
        session.session_id,
        before.participant_id,
        {"email": "new@example.org", "full_name": "Anna", "role": "presenter"},
    )

    found = house.participants.get(account.account_id, session.session_id, before.participant_id)[1]
    assert found == after
    assert (found.full_name, found.email, found.role) == ("Anna", "new@example.org", ParticipantRole.PRESENTER)
    assert house.links.personal_link("clinic", found) == house.links.personal_link("clinic", before)
    assert len(house.participants.list_of(account.account_id, session.session_id)) == 2


def test_a_participant_cannot_become_somebody_who_is_there(house: House, account: Account, host: User) -> None:
    session, (_, first, _) = plan(house, host, guest(1), guest(2))

    with pytest.raises(ConflictError, match="participant_exists"):
        house.participants.change(
            account.account_id, session.session_id, first.participant_id, {"email": "guest2@example.org"}
        )


def test_the_host_stays_host_and_nobody_else_becomes_it(house: House, account: Account, host: User) -> None:
    session, (first, second) = plan(house, host, guest(1))

    for participant, role in ((first, "attendee"), (second, "host")):
        with pytest.raises(InvalidError) as refused:
            house.participants.change(
                account.account_id, session.session_id, participant.participant_id, {"role": role}
            )
        assert refused.value.errors[0].code == "host_is_fixed"
    with pytest.raises(ConflictError, match="host_is_fixed"):
        house.participants.remove(account.account_id, session.session_id, first.participant_id)


def test_ids_longer_than_any_key_lead_nowhere(house: House, account: Account, host: User) -> None:
    session, _ = plan(house, host)
    endless = "9" * 3_000
    with pytest.raises(NotFoundError, match="session_not_found"):
        house.participants.list_of(account.account_id, endless)
    with pytest.raises(NotFoundError, match="registrant_not_found"):
        house.registrants.cancel(account.account_id, session.session_id, endless)
    wanted = Filter(participant_email=f"{endless}@example.org")
    assert house.sessions.page(account.account_id, wanted, after=None, limit=10) == ([], None)


def test_a_removed_participants_code_and_id_lead_nowhere(
    house: House, account: Account, host: User, moto_aws: MotoAws, settings: Settings
) -> None:
    session, (_, person) = plan(house, host, guest(1))
    mark = house.links.code_mark(house.links.connect_code(person))

    house.participants.remove(account.account_id, session.session_id, person.participant_id)

    assert code_store(house).holder(mark) is None
    with pytest.raises(NotFoundError):
        house.participants.get(account.account_id, session.session_id, person.participant_id)
    assert person.participant_id not in json.dumps(moto_aws.stored(settings.directory_table))


def test_rotating_makes_every_old_link_worthless(house: House, account: Account, host: User) -> None:
    session, (_, before) = plan(house, host, guest(1))
    old_token, old_code = house.links.personal_token(before), house.links.connect_code(before)

    _, after = house.participants.rotate(account.account_id, session.session_id, before.participant_id)

    assert not house.links.proves(old_token, after)
    assert house.links.proves(house.links.personal_token(after), after)
    assert house.links.passkey(after) != house.links.passkey(before)
    assert code_store(house).holder(house.links.code_mark(old_code)) is None
    new_mark = house.links.code_mark(house.links.connect_code(after))
    assert code_store(house).holder(new_mark) == (account.account_id, session.session_id, before.participant_id)


# --- links ----------------------------------------------------------------------------------------------


@pytest.mark.req("S02")
def test_a_link_proves_its_own_participant_alone(house: House, host: User) -> None:
    _, (first, second, third) = plan(house, host, guest(1), guest(2))
    token = house.links.personal_token(second)

    assert PersonalToken.parse(str(token)) == token
    assert house.links.proves(token, second)
    assert not house.links.proves(token, first)
    forged = [
        PersonalToken(token.session_id, third.participant_id, token.proof),
        PersonalToken("99999999", token.participant_id, token.proof),
        PersonalToken(token.session_id, token.participant_id, token.proof[:-1] + "_"),
        PersonalToken(token.session_id, token.participant_id, ""),
        PersonalToken(token.session_id, token.participant_id, "é"),
    ]
    assert not [
        t for t in forged if house.links.proves(t, third if t.participant_id == third.participant_id else second)
    ]


@pytest.mark.parametrize("text", ["", "1", "1-2", "a-2-x", "1-b-x", "--", "1--x", "\u0661-2-x"])
def test_what_cannot_be_a_token_is_none(text: str) -> None:
    assert PersonalToken.parse(text) is None


def test_links_say_nothing_about_the_person(house: House, host: User) -> None:
    session, (_, person) = plan(house, host, guest(1), friendly_url="annual-review")
    links = [
        house.links.session_link("clinic", session),
        house.links.friendly_link("clinic", session) or "",
        house.links.personal_link("clinic", person),
        house.links.join_link("clinic", person),
    ]

    assert links[0] == f"https://clinic.hub.vestibule.example/s/{session.session_id}"
    assert links[1] == "https://clinic.hub.vestibule.example/go/clinic/annual-review"
    assert not [link for link in links if "guest" in link.lower() or "@" in link or "example.org" in link]
    assert len({house.links.passkey(person)}) == 1
