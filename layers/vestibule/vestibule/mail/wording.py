"""What a letter says: each sentence once, for the HTML, the text and the calendar alike.

Sentences come from the catalogues in the recipient's language; names and titles
are put into them as they are.  Each place that shows them escapes them itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule.domain import moments, rules
from vestibule.domain.letters import LetterKind
from vestibule.languages import translation
from vestibule.model import LinkPurpose, ParticipantRole, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vestibule.domain.letters import Letter, LinkLetter
    from vestibule.domain.moments import Span
    from vestibule.languages import Translation
    from vestibule.model import Session

_TITLE_IN_SUBJECT = 100
"""Characters; what is longer is cut, because the time after it matters more."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fact of a letter.

    Attributes
    ----------
    lines
        What is so, the most important first.
    was
        What was so before, empty when nothing has changed.
    is_code
        Whether it is to be typed, so that each character has to be told from the next.
    link
        An address below the lines, None for none.
    """

    label: str
    lines: tuple[str, ...]
    was: str = ""
    is_code: bool = False
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of one letter.

    Attributes
    ----------
    language
        Tag of the language that they are in.
    colon
        What stands between a label and its value; French puts a blank before it.
    preview
        What a list of mails shows beside the subject.
    notes
        Lines for the appointment in a calendar.
    short
        All of it in one line, for a text message.
    """

    language: str
    colon: str
    account: str
    subject: str
    preview: str
    heading: str
    greeting: str
    lead: str
    rows: tuple[Row, ...]
    enter: str
    enter_otherwise: str
    keep_to_yourself: str
    was: str
    reason: str
    unsubscribe: str
    notes: tuple[str, ...]
    short: str


def wording_of(letter: Letter) -> Wording:
    """Return what a letter says, in the recipient's language, the account's, or English."""
    texts = translation(letter.recipient_locale, letter.account.locale)
    when = _when(texts, letter, letter.session)
    title = rules.one_line(letter.session.title)
    rows = tuple(_rows(texts, letter, when))
    lead = _lead(texts, letter)
    return Wording(
        language=texts.language,
        colon=texts.gettext(":"),
        account=rules.one_line(letter.account.name),
        subject=_subject(texts, letter).format(title=_cut(title, _TITLE_IN_SUBJECT), when=when.start),
        preview=f"{when.start} · {_host(letter)}",
        heading=title,
        greeting=texts.gettext("Hello {name},").format(name=rules.one_line(letter.participant.full_name)),
        lead=lead,
        rows=rows,
        enter=texts.gettext("Enter the session"),
        enter_otherwise=texts.gettext("If the button does not work, copy this address into your browser:"),
        keep_to_yourself=texts.gettext(
            "This link is yours alone: whoever opens it comes in under your name. Please do not pass it on."
        ),
        was=texts.gettext("before:"),
        reason=_reason(texts, letter),
        unsubscribe=texts.gettext("Stop these mails"),
        notes=tuple(_notes(texts, letter, lead)),
        short=_short(texts, letter, when),
    )


def wording_of_link(letter: LinkLetter) -> Wording:
    """Return what a letter with a link that was asked for says, in the user's language, the account's, or English."""
    texts = translation(letter.user.locale, letter.account.locale)
    account = rules.one_line(letter.account.name)
    short = _cut(account, _TITLE_IN_SUBJECT)
    if letter.purpose is LinkPurpose.SIGN_IN:
        heading = texts.gettext("Sign in to {account}")
        lead = texts.gettext("Here is the link that signs you in. It works once, and for {minutes} minutes.")
        enter = texts.gettext("Sign in")
    else:
        heading = texts.gettext("Choose a password for {account}")
        lead = texts.gettext("Here is the link to choose a new password. It works once, and for {minutes} minutes.")
        enter = texts.gettext("Choose a password")
    lead = lead.format(minutes=letter.usable_minutes)
    username = letter.user.username
    reason = texts.gettext("{account} sent this mail to {email}, because somebody asked for it on the sign-in page.")
    return Wording(
        language=texts.language,
        colon=texts.gettext(":"),
        account=account,
        subject=heading.format(account=short),
        preview=lead,
        heading=heading.format(account=account),
        greeting=texts.gettext("Hello {name},").format(name=rules.one_line(letter.user.full_name)),
        lead=lead,
        rows=(Row(texts.gettext("User name"), (username,)),) if username else (),
        enter=enter,
        enter_otherwise=texts.gettext("If the button does not work, copy this address into your browser:"),
        keep_to_yourself=texts.gettext(
            "Was it not you who asked? Then there is nothing to do: without this link nothing happens."
            " Please do not pass it on."
        ),
        was=texts.gettext("before:"),
        reason=reason.format(account=account, email=letter.user.email or ""),
        unsubscribe=texts.gettext("Stop these mails"),
        notes=(),
        short="",
    )


def grouped(code: str) -> str:
    """Return a connect code in groups of three, as it is read aloud.

    Examples
    --------
    >>> grouped("123456789")
    '123 456 789'
    """
    return " ".join(code[first : first + 3] for first in range(0, len(code), 3))


def _when(texts: Translation, letter: Letter, session: Session) -> Span:
    return moments.span(texts, session, moments.zone(letter.recipient_time_zone, session.time_zone))


def _subject(texts: Translation, letter: Letter) -> str:
    return {
        LetterKind.INVITATION: texts.gettext("Invitation: {title}, {when}"),
        LetterKind.CHANGE: texts.gettext("Changed: {title}, {when}"),
        LetterKind.CANCELLATION: texts.gettext("Cancelled: {title}, {when}"),
        LetterKind.REMINDER: texts.gettext("Reminder: {title}, {when}"),
        LetterKind.REGISTRATION: texts.gettext("Your registration: {title}, {when}"),
    }[letter.kind]


def _lead(texts: Translation, letter: Letter) -> str:
    host = _host(letter)
    alike_for_all = {
        LetterKind.CHANGE: texts.gettext(
            "Something has changed. These are the details as they are now; your link has stayed the same."
        ),
        LetterKind.REMINDER: texts.gettext("A reminder: this session is coming up."),
        LetterKind.REGISTRATION: texts.gettext(
            "You are registered for this live session. Your own link to it is below."
        ),
    }
    if letter.kind in alike_for_all:
        return alike_for_all[letter.kind]
    if letter.kind is LetterKind.CANCELLATION:
        if letter.session.status is SessionStatus.CANCELLED:
            return texts.gettext("This session is cancelled and will not take place. There is nothing for you to do.")
        return texts.gettext("You are no longer invited to this session. There is nothing for you to do.")
    if letter.participant.role is ParticipantRole.HOST:
        return texts.gettext("You are the host of this live session. It begins when you come in.")
    return texts.gettext("{host} invites you to a live session.").format(host=host)


def _rows(texts: Translation, letter: Letter, when: Span) -> Iterator[Row]:
    yield Row(texts.gettext("When"), tuple(_times(texts, letter, when)), was=_earlier_time(texts, letter, when))
    yield _duration(texts, letter)
    if letter.previous and letter.previous.title != letter.session.title:
        title = rules.one_line(letter.session.title)
        yield Row(texts.gettext("Title"), (title,), was=rules.one_line(letter.previous.title))
    yield Row(texts.gettext("Host"), (_host(letter),))
    if letter.kind is LetterKind.CANCELLATION:
        return
    if letter.connect_code:
        hint = texts.gettext("for another device, or when the link is not at hand")
        yield Row(
            texts.gettext("Connect code"), (grouped(letter.connect_code), hint), is_code=True, link=letter.join_link
        )
    if letter.account.require_passkey and letter.passkey:
        hint = texts.gettext("asked for together with the connect code")
        yield Row(texts.gettext("Passkey"), (letter.passkey, hint), is_code=True)


def _times(texts: Translation, letter: Letter, when: Span) -> Iterator[str]:
    yield when.date
    yield f"{when.hours} ({when.zone})"
    at_the_session = moments.span(texts, letter.session, moments.zone(letter.session.time_zone))
    if (at_the_session.date, at_the_session.hours) == (when.date, when.hours):
        return
    there = f"{at_the_session.date}, {at_the_session.hours} ({at_the_session.zone})"
    yield texts.gettext("in the session's time zone, {place}: {when}").format(place=at_the_session.place, when=there)


def _earlier_time(texts: Translation, letter: Letter, when: Span) -> str:
    if letter.previous is None or letter.previous.starts_at == letter.session.starts_at:
        return ""
    before = _when(texts, letter, letter.previous)
    return before.start if before.start != when.start else ""


def _duration(texts: Translation, letter: Letter) -> Row:
    now, before = letter.session.duration_minutes, letter.previous and letter.previous.duration_minutes
    was = moments.duration(texts, before) if before and before != now else ""
    return Row(texts.gettext("Duration"), (moments.duration(texts, now),), was=was)


def _reason(texts: Translation, letter: Letter) -> str:
    account, email = rules.one_line(letter.account.name), letter.participant.email or ""
    if letter.is_registrants:
        return texts.gettext(
            "{account} sent this mail to {email}, because the address was registered for this session. If that was "
            "not you, there is nothing for you to do."
        ).format(account=account, email=email)
    if letter.participant.role is ParticipantRole.HOST:
        return texts.gettext("{account} sent this mail to {email}, because you host this session.").format(
            account=account, email=email
        )
    return texts.gettext("{account} sent this mail to {email}, because {host} entered you as a participant.").format(
        account=account, email=email, host=_host(letter)
    )


def _notes(texts: Translation, letter: Letter, lead: str) -> Iterator[str]:
    yield lead
    if letter.kind is LetterKind.CANCELLATION:
        return
    yield ""
    colon = texts.gettext(":")
    yield f"{texts.gettext('Enter the session')}{colon} {letter.personal_link}"
    if letter.connect_code:
        yield f"{texts.gettext('Connect code')}{colon} {grouped(letter.connect_code)}"
    if letter.account.require_passkey and letter.passkey:
        yield f"{texts.gettext('Passkey')}{colon} {letter.passkey}"


_ACCOUNT_IN_SHORT = 40


def _short(texts: Translation, letter: Letter, when: Span) -> str:
    sentence = {
        LetterKind.INVITATION: texts.gettext("{account}: you are invited, {when}."),
        LetterKind.CHANGE: texts.gettext("{account}: your session has changed, {when}."),
        LetterKind.CANCELLATION: texts.gettext("{account}: your session is cancelled, {when}."),
        LetterKind.REMINDER: texts.gettext("{account}: reminder of your session, {when}."),
        LetterKind.REGISTRATION: texts.gettext("{account}: you are registered, {when}."),
    }[letter.kind]
    account = _cut(rules.one_line(letter.account.name), _ACCOUNT_IN_SHORT)
    text = sentence.format(account=account, when=when.start)
    return text if letter.kind is LetterKind.CANCELLATION else f"{text} {letter.personal_link}"


def _host(letter: Letter) -> str:
    return rules.one_line(letter.host_name) or rules.one_line(letter.account.name)


def _cut(text: str, most: int) -> str:
    # Three dots: an ellipsis is not in GSM 03.38, and one such character halves what an SMS holds.
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."
