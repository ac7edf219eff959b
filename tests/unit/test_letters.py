"""Letters as mails and text messages: what is in them, in which language, and what nobody can put into them."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.letters import ACCOUNT, GRACE, HUB, LINK, PASSKEY, SESSION, STARTS_AT, Html, a_letter, body, read
from vestibule.clock import DAY
from vestibule.domain import moments, rules
from vestibule.domain.colors import TEXT_CONTRAST, contrast
from vestibule.domain.letters import LetterKind
from vestibule.errors import UndeliverableError
from vestibule.languages import translation
from vestibule.mail import headers
from vestibule.mail.letters import compose, text_message
from vestibule.model import ParticipantRole

EVERY_KIND = tuple(LetterKind)
WITH_A_WAY_IN = (LetterKind.INVITATION, LetterKind.CHANGE, LetterKind.REMINDER)

HOSTILE = (
    "Eve\r\nBcc: everybody@elsewhere.example",
    "Eve\nContent-Type: text/html\n\n<script>alert(1)</script>",
    "Doe, (John) <eve@elsewhere.example>; " * 4,
    '"Eve" <eve@elsewhere.example>, ',
    "=?utf-8?q?Eve=0D=0ABcc=3A_a=40b=2Eexample?=",
    "Eve\x00\x0b\x0c\x85\u2028\u2029Bcc: a@b.example",
    "\u202eevE\u2066\u200f",
    "Žofie Nováková, „Ärztin“ " * 8,
    "😀" * 200,
    "a" * 200,
    "{account.slug} {0} %s %(name)s {{ 7 * 7 }}",
    "<img src=x onerror=alert(1)>\"'",
    "half a character: \ud800",
    "\r\n",
)
anything = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=200))
ONE_HEADER_EACH = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Content-Language",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
]


def named(field: str) -> list[tuple[str, str]]:
    """Give display name and address of everybody that a header field names, as an old mail program reads it."""
    return [(str(make_header(decode_header(name))), email) for name, email in getaddresses([field])]


# --- structure -------------------------------------------------------------------------------------------


@pytest.mark.req("S05")
@pytest.mark.parametrize(
    ("kind", "method"),
    [(LetterKind.INVITATION, "REQUEST"), (LetterKind.CHANGE, "REQUEST"), (LetterKind.CANCELLATION, "CANCEL")],
)
def test_a_mail_has_the_form_that_mail_programs_take_for_an_invitation(kind: LetterKind, method: str) -> None:
    # when
    mail = read(compose(a_letter(kind)))

    # then
    alternatives, attachment = mail.iter_parts()
    plain, html, appointment = alternatives.iter_parts()
    assert mail.get_content_type() == "multipart/mixed"
    assert alternatives.get_content_type() == "multipart/alternative"
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert appointment.get_content_type() == "text/calendar"
    assert dict(appointment["Content-Type"].params) == {"charset": "utf-8", "method": method}
    assert (attachment.get_content_type(), attachment.get_filename()) == ("application/ics", "invite.ics")
    assert attachment.get_content_disposition() == "attachment"
    assert attachment.get_payload(decode=True) == appointment.get_payload(decode=True)


@pytest.mark.req("S05")
def test_a_reminder_leaves_the_calendar_and_the_answer_in_it_alone() -> None:
    # when
    mail = read(compose(a_letter(LetterKind.REMINDER)))

    # then
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.req("S05")
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_mail_is_ascii_in_short_lines_that_end_in_crlf(kind: LetterKind) -> None:
    # given
    letter = a_letter(kind, participant={"full_name": "Zoë " * 40}, session={"title": "Ü" * 300})

    # when
    mail = compose(letter)

    # then
    lines = mail.split(b"\r\n")
    assert mail.isascii()
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 78
    assert lines[-1] == b""


@pytest.mark.req("S05", "S06")
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_same_letter_is_the_same_mail_however_often_it_is_written(kind: LetterKind) -> None:
    assert compose(a_letter(kind)) == compose(a_letter(kind))


def test_a_mail_says_who_sends_it_when_and_that_no_answer_by_a_machine_is_wanted() -> None:
    # when
    mail = read(compose(a_letter(reply_to="desk@lakeside.example")))

    # then
    assert mail["From"] == "Lakeside Clinic <sessions@vestibule.example>"
    assert mail["To"] == "Grace Hopper <grace@lakeside.example>"
    assert mail["Reply-To"] == "desk@lakeside.example"
    assert mail["Date"].datetime.isoformat() == "2026-11-18T11:06:40+00:00"
    assert mail["Message-ID"] == "<e7a1.231415926@lakeside.hub.vestibule.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None


def test_a_letter_that_can_be_unsubscribed_says_how_to_programs_and_to_people() -> None:
    # given
    address = f"{HUB}/unsubscribe/{'u' * 120}"

    # when
    mail = compose(a_letter(unsubscribe_url=address))

    # then
    assert f"\r\nList-Unsubscribe: <{address}>\r\n".encode() in mail
    assert read(mail)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert address in Html.of(body(mail, "html")).links
    assert address in body(mail, "plain")


# --- names and addresses ---------------------------------------------------------------------------------


@pytest.mark.req("S05")
@given(person=anything, account=anything, title=anything, host=anything, kind=st.sampled_from(EVERY_KIND))
@example(person=HOSTILE[0], account=HOSTILE[1], title=HOSTILE[0], host=HOSTILE[1], kind=LetterKind.INVITATION)
@example(person=HOSTILE[2], account=HOSTILE[2], title=HOSTILE[2], host=HOSTILE[2], kind=LetterKind.INVITATION)
@example(person=HOSTILE[4], account=HOSTILE[4], title=HOSTILE[4], host=HOSTILE[4], kind=LetterKind.CHANGE)
@example(person=HOSTILE[12], account=HOSTILE[12], title=HOSTILE[12], host=HOSTILE[12], kind=LetterKind.CHANGE)
def test_no_name_or_title_becomes_a_header_an_address_or_markup(
    person: str, account: str, title: str, host: str, kind: LetterKind
) -> None:
    # given
    letter = a_letter(
        kind, participant={"full_name": person}, account={"name": account}, session={"title": title}, host_name=host
    )

    # when
    mail = compose(letter)

    # then
    old = message_from_bytes(mail)
    assert old.keys() == ONE_HEADER_EACH
    assert named(old["From"]) == [(rules.one_line(account), "sessions@vestibule.example")]
    assert named(old["To"]) == [(rules.one_line(person), "grace@lakeside.example")]
    subject = str(make_header(decode_header(old["Subject"])))
    assert subject.isprintable() or subject == rules.one_line(subject)
    page = Html.of(body(mail, "html"))
    assert page.tags.isdisjoint({"script", "table", "form", "iframe"})
    assert not any(name.startswith("on") for name in page.attributes)
    assert page.images == [ACCOUNT.logo_url]
    assert set(page.links) <= {LINK, f"{HUB}/join/123456789"}
    wanted = " ".join(rules.one_line(title).split())
    assert wanted in " ".join(page.text.split())
    assert wanted in " ".join(body(mail, "plain").split())


@pytest.mark.parametrize("name", HOSTILE)
def test_one_line_is_what_the_rule_for_texts_lets_through(name: str) -> None:
    line = rules.one_line(name)

    assert not line or rules.text(line, most=1_000) == line


@pytest.mark.req("S05")
@pytest.mark.parametrize(
    ("address", "on_the_wire"),
    [
        ("Grace.Hopper+x@Lakeside.Example", "Grace.Hopper+x@lakeside.example"),
        ("info@münchen.example", "info@xn--mnchen-3ya.example"),
        ("info@MÜNCHEN.example", "info@xn--mnchen-3ya.example"),
        ("info@straße.example", "info@xn--strae-oqa.example"),
        ("info@例え。テスト", "info@xn--r8jz45g.xn--zckzah"),
        ("info@xn--mnchen-3ya.example", "info@xn--mnchen-3ya.example"),
    ],
)
def test_an_international_domain_goes_over_the_wire_in_ascii(address: str, on_the_wire: str) -> None:
    # when
    mail = compose(a_letter(participant={"email": address}))

    # then
    assert named(message_from_bytes(mail)["To"]) == [("Grace Hopper", on_the_wire)]
    assert f"mailto:{on_the_wire}" in body(mail, "calendar").replace("\n ", "")


@pytest.mark.req("S05")
@pytest.mark.parametrize(
    "address",
    [
        "gräce@lakeside.example",
        "grace hopper@lakeside.example",
        ".grace@lakeside.example",
        "grace..hopper@lakeside.example",
        '"grace"@lakeside.example',
        "grace@",
        "grace@localhost",
        "grace@-.example",
        "grace@lake\u200dside.example",
        f"grace@{'ü' * 70}.example",
        "a@b.example>\r\nBcc: <c@d.example",
        "grace@lakeside.example,eve@elsewhere.example",
    ],
)
def test_an_address_that_no_mail_can_go_to_is_said_to_be_one(address: str) -> None:
    with pytest.raises(UndeliverableError) as refused:
        compose(a_letter(participant={"email": address}))

    assert refused.value.code == "unsupported_address"
    assert address not in refused.value.detail


def test_a_participant_without_an_address_cannot_be_written_to() -> None:
    with pytest.raises(UndeliverableError) as refused:
        compose(a_letter(participant={"email": None}))

    assert refused.value.code == "no_address"


@given(st.text(max_size=400))
def test_a_header_of_our_own_making_takes_nothing_else(value: str) -> None:
    if value and all(" " <= character <= "~" for character in value):
        assert headers.text_line("X", value) == f"X: {value}"
    else:
        with pytest.raises(ValueError, match="not a value"):
            headers.text_line("X", value)


@pytest.mark.req("S05")
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_mail_names_nobodys_address_but_the_recipients_and_the_senders(kind: LetterKind) -> None:
    # given
    letter = a_letter(kind)

    # when
    mail = read(compose(letter))

    # then
    parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    texts = [part.decode() for part in parts if isinstance(part, bytes)]
    found = set(re.findall(r"[\w.+-]+@[\w-]+\.[\w.-]*\w", "\n".join(texts)))
    assert len(texts) >= 2
    uid = {f"{SESSION.session_id}@lakeside.hub.vestibule.example"}
    assert found - uid <= {GRACE.email, letter.sender}


# --- texts -----------------------------------------------------------------------------------------------


@pytest.mark.req("S05")
@pytest.mark.parametrize("kind", WITH_A_WAY_IN)
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_both_bodies_hold_the_link_once_to_be_followed(kind: LetterKind, language: str) -> None:
    # when
    mail = compose(a_letter(kind, recipient_locale=language))

    # then
    page = Html.of(body(mail, "html"))
    assert page.links.count(LINK) == 1
    assert page.text.count(LINK) == 1
    assert body(mail, "plain").count(LINK) == 1


@pytest.mark.req("S05")
def test_a_cancellation_offers_no_way_in() -> None:
    # when
    mail = compose(a_letter(LetterKind.CANCELLATION, account={"require_passkey": True}))

    # then
    for kind in ("plain", "html", "calendar"):
        text = body(mail, kind)
        assert "/p/" not in text
        assert "123 456 789" not in text
        assert PASSKEY not in text
    assert "is cancelled and will not take place" in body(mail, "plain")


def test_somebody_who_is_taken_out_of_a_session_is_not_told_that_it_is_cancelled() -> None:
    # when
    text = body(compose(replace(a_letter(LetterKind.CANCELLATION), session=SESSION)), "plain")

    # then
    assert "You are no longer invited to this session." in text
    assert "cancelled" not in text


@pytest.mark.parametrize(("is_required", "times"), [(True, 1), (False, 0)])
def test_the_passkey_is_told_where_the_account_requires_it(is_required: bool, times: int) -> None:  # noqa: FBT001
    # when
    mail = compose(a_letter(account={"require_passkey": is_required}))

    # then
    assert "123 456 789" in Html.of(body(mail, "html")).text
    assert [body(mail, kind).count(PASSKEY) for kind in ("plain", "html")] == [times, times]


@pytest.mark.req("S05", "S07")
def test_times_are_the_recipients_and_the_sessions() -> None:
    # when
    text = body(compose(a_letter(recipient_time_zone="America/New_York")), "plain")

    # then
    assert "When: Tuesday, November 24, 2026\n  9:00 AM \u2013 10:30 AM (EST, UTC-5)\n" in text
    assert "Europe/Berlin: Tuesday, November 24, 2026, 3:00 PM \u2013 4:30 PM (CET, UTC+1)\n" in text


@pytest.mark.parametrize("place", [None, "Europe/Berlin", "Europe/Paris", "No/Where", "../../etc/passwd", "Europe"])
def test_one_time_is_told_where_two_would_be_the_same(place: str | None) -> None:
    # when
    text = body(compose(a_letter(recipient_time_zone=place)), "plain")

    # then
    assert "3:00 PM \u2013 4:30 PM (CET, UTC+1)" in text
    assert "time zone" not in text


@pytest.mark.req("S05")
def test_a_change_says_what_was_before() -> None:
    # given
    before = replace(SESSION, starts_at=STARTS_AT - 2 * DAY, duration_minutes=60, title="Knee")

    # when
    mail = compose(a_letter(LetterKind.CHANGE, previous=before))

    # then
    for text in (body(mail, "plain"), Html.of(body(mail, "html")).text):
        flat = " ".join(text.split())
        assert "before: Sunday, November 22, 2026 at 3:00 PM CET" in flat
        assert "before: 1 hour" in flat
        assert "before: Knee" in flat


def test_a_change_of_nothing_that_is_shown_claims_nothing() -> None:
    assert "before:" not in body(compose(a_letter(LetterKind.CHANGE, previous=SESSION)), "plain")


@pytest.mark.parametrize(
    ("locale", "account_locale", "language", "subject"),
    [
        (None, None, "en", "Invitation: Follow-up: knee & shoulder, Tuesday, November 24, 2026 at 3:00 PM CET"),
        ("en-GB", None, "en-GB", "Invitation: Follow-up: knee & shoulder, Tuesday 24 November 2026 at 15:00 CET"),
        ("de-CH", "fr", "de", "Einladung: Follow-up: knee & shoulder, Dienstag, 24. November 2026 um 15:00 CET"),
        ("ja", "FR-ca", "fr", "Invitation\xa0: Follow-up: knee & shoulder, mardi 24 novembre 2026 à 15:00 CET"),
        (None, "de", "de", "Einladung: Follow-up: knee & shoulder, Dienstag, 24. November 2026 um 15:00 CET"),
    ],
)
def test_the_language_is_the_recipients_else_the_accounts_else_english(
    locale: str | None, account_locale: str | None, language: str, subject: str
) -> None:
    # when
    mail = compose(a_letter(recipient_locale=locale, account={"locale": account_locale}))

    # then
    assert str(make_header(decode_header(message_from_bytes(mail)["Subject"]))) == subject
    assert read(mail)["Content-Language"] == language
    assert f'<html lang="{language}">' in body(mail, "html")


def test_a_host_is_told_to_be_one() -> None:
    # when
    text = body(compose(a_letter(participant={"role": ParticipantRole.HOST})), "plain")

    # then
    assert "You are the host of this live session." in text
    assert "because you host this session." in text
    assert "invites you" not in text


@given(accent=st.integers(0, 0xFFFFFF), header=st.none() | st.integers(0, 0xFFFFFF))
def test_a_mail_can_be_read_in_whatever_colours(accent: int, header: int | None) -> None:
    # given
    colors = {"accent": f"#{accent:06x}"} | ({} if header is None else {"header": f"#{header:06x}"})

    # when
    page = body(compose(a_letter(LetterKind.REMINDER, account={"colors": colors})), "html")

    # then
    light = re.findall(r"background:(#\w{6});[^\"]*?(?<![-\w])color:(#\w{6})", page)
    dark = re.findall(r"background: (#\w{6}) !important;[^}]*?(?<![-\w])color: (#\w{6})", page)
    assert len(light) >= 3
    assert len(dark) >= 4
    assert all(contrast(ground, text) >= TEXT_CONTRAST for ground, text in [*light, *dark])


@pytest.mark.parametrize(
    "logo", [None, "http://localhost:1/logo.png", "javascript:alert(1)", "https://x.example/ onload=a", "data:,x"]
)
def test_a_logo_is_an_https_image_or_none(logo: str | None) -> None:
    assert Html.of(body(compose(a_letter(account={"logo_url": logo})), "html")).images == []


# --- text messages ---------------------------------------------------------------------------------------


@pytest.mark.req("S05")
@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_a_text_message_is_short_and_holds_the_link_once(kind: LetterKind, language: str) -> None:
    # given
    letter = a_letter(
        kind, recipient_locale=language, recipient_time_zone="America/New_York", account={"name": "L" * 200}
    )

    # when
    text = text_message(letter)

    # then
    assert text.count(LINK) == (0 if kind is LetterKind.CANCELLATION else 1)
    # Two segments of 67 characters where one is not in GSM 03.38.
    assert len(text.replace(LINK, "")) <= 134
    assert "EST" in text
    assert text == rules.one_line(text)


@given(account=anything)
def test_no_accounts_name_breaks_the_line_of_a_text_message(account: str) -> None:
    text = text_message(a_letter(account={"name": account}))

    assert text.splitlines() == [text]
    assert text.endswith(f" {LINK}")


# --- moments ---------------------------------------------------------------------------------------------


@pytest.mark.req("S07")
@pytest.mark.parametrize(
    ("place", "moment", "label"),
    [
        ("Europe/Berlin", 1_772_546_400_000, "CET, UTC+1"),
        ("Europe/Berlin", 1_785_592_800_000, "CEST, UTC+2"),
        ("America/Sao_Paulo", 1_772_546_400_000, "UTC-3"),
        ("Asia/Kolkata", 1_772_546_400_000, "IST, UTC+5:30"),
        ("Australia/Lord_Howe", 1_772_546_400_000, "UTC+11"),
        ("Australia/Lord_Howe", 1_785_592_800_000, "UTC+10:30"),
        ("Pacific/Marquesas", 1_772_546_400_000, "UTC-9:30"),
        ("UTC", 1_772_546_400_000, "UTC"),
        ("Europe/London", 1_772_546_400_000, "GMT, UTC"),
    ],
)
def test_a_zone_is_told_by_its_abbreviation_and_offset(place: str, moment: int, label: str) -> None:
    assert moments.zone_label(moments.local(moment, moments.zone(place))) == label


@pytest.mark.req("S07")
def test_a_session_across_a_change_of_the_clocks_tells_both_offsets() -> None:
    # given: 01:30 CEST to 03:30 CET, three hours
    night = replace(SESSION, starts_at=1_792_884_600_000, duration_minutes=180)

    # when
    span = moments.span(translation("de"), night, moments.zone("Europe/Berlin"))

    # then
    assert span.date == "Sonntag, 25. Oktober 2026"
    assert span.hours == "01:30 \u2013 03:30"
    assert span.zone == "CEST, UTC+2 \u2013 CET, UTC+1"


@pytest.mark.parametrize(
    ("minutes", "english", "french"),
    [
        (1, "1 minute", "1 minute"),
        (45, "45 minutes", "45 minutes"),
        (60, "1 hour", "1 heure"),
        (150, "2 hours 30 minutes", "2 heures 30 minutes"),
        (2 * 1_440 + 1, "2 days 1 minute", "2 jours 1 minute"),
    ],
)
def test_a_duration_is_told_in_days_hours_and_minutes(minutes: int, english: str, french: str) -> None:
    assert moments.duration(translation("en"), minutes) == english
    assert moments.duration(translation("fr"), minutes) == french


def test_the_end_on_another_day_is_told_with_its_day() -> None:
    # given
    long = replace(SESSION, duration_minutes=1_440)

    # when
    span = moments.span(translation("en"), long, moments.zone("UTC"))

    # then
    assert span.hours == "2:00 PM \u2013 Wednesday, November 25, 2026 at 2:00 PM"


def test_french_counts_the_first_of_a_month_as_the_french_do() -> None:
    first = replace(SESSION, starts_at=1_793_541_600_000)

    assert moments.span(translation("fr"), first, moments.zone("UTC")).date == "dimanche 1er novembre 2026"
