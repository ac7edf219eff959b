"""A letter as the bytes of a mail, or as the text of an SMS.

The mail has the form that Gmail, Outlook and Apple Mail take for an invitation: the
appointment is one more alternative beside text and HTML, with its method in the
Content-Type, and once more a file for every other calendar:

    multipart/mixed
      multipart/alternative
        text/plain
        text/html
        text/calendar; method=REQUEST
      application/ics, an attachment

Nothing in it is fetched from anywhere but the account's logo, whose address is the
same for everybody: opening a mail tells nobody who opened it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from vestibule.clock import SECOND
from vestibule.domain import rules
from vestibule.domain.colors import DEFAULT_ACCENT, palette
from vestibule.domain.letters import LetterKind
from vestibule.errors import UndeliverableError
from vestibule.mail import headers
from vestibule.mail.calendar import calendar, method_of
from vestibule.mail.wording import wording_of, wording_of_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Environment

    from vestibule.domain.letters import Letter, LinkLetter
    from vestibule.mail.wording import Wording
    from vestibule.model import Account

FILE_NAME = "invite.ics"

_POLICY = policy.SMTP
_BOUNDARY_LENGTH = 32


def compose(letter: Letter) -> bytes:
    """Return a letter as a mail (RFC 5322): ASCII, with CRLF at the end of each line.

    The same letter gives the same bytes.  SES replaces Date and Message-ID by its own;
    other senders, and a reader who compares, get those of the letter.

    Raises
    ------
    UndeliverableError
        The participant has no address, or one that mail cannot be sent to.
    ValueError
        ``message_id`` or ``unsubscribe_url`` is not one: a fault of the caller.
    """
    wording = wording_of(letter)
    return _head(letter, wording) + _body(letter, wording).as_bytes()


def compose_link(letter: LinkLetter) -> bytes:
    """Return a letter with a link that somebody asked for as a mail; see `compose`."""
    wording = wording_of_link(letter)
    body = _texts(letter, wording, letter.link, is_open=True)
    _set_boundaries(body, letter.message_id)
    return _head(letter, wording) + body.as_bytes()


def text_message(letter: Letter) -> str:
    """Return a letter as the text of an SMS: who, when and the way in."""
    return wording_of(letter).short


def _head(letter: Letter | LinkLetter, wording: Wording) -> bytes:
    return "".join(f"{field}{headers.LINE_END}" for field in _fields(letter, wording)).encode("ascii")


def _fields(letter: Letter | LinkLetter, wording: Wording) -> Iterator[str]:
    name, email = letter.addressee
    if not email:
        raise UndeliverableError("no_address", "The addressee has no e-mail address.")
    yield headers.mailbox("From", letter.account.name, headers.address(letter.sender))
    yield headers.mailbox("To", name, headers.address(email))
    if letter.reply_to:
        yield headers.mailbox("Reply-To", "", headers.address(letter.reply_to))
    yield headers.unstructured("Subject", wording.subject)
    yield headers.text_line("Date", format_datetime(datetime.fromtimestamp(letter.at // SECOND, UTC)))
    yield headers.text_line("Message-ID", f"<{letter.message_id}>")
    yield headers.text_line("Content-Language", wording.language)
    # No vacation notice answers it (RFC 3834).
    yield headers.text_line("Auto-Submitted", "auto-generated")
    if letter.unsubscribe_url:
        yield headers.text_line("List-Unsubscribe", f"<{rules.web_address(letter.unsubscribe_url)}>")
        yield headers.text_line("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


def _body(letter: Letter, wording: Wording) -> EmailMessage:
    """Return the mail without its head: the parts of the module's docstring."""
    body = _texts(letter, wording, letter.personal_link, is_open=letter.kind is not LetterKind.CANCELLATION)
    method = method_of(letter.kind)
    if method is not None:
        appointment = calendar(letter)
        # base64 keeps its line ends and folds as they are.
        body.add_alternative(appointment.decode(), subtype="calendar", params={"method": method}, cte="base64")
        body.add_attachment(appointment, maintype="application", subtype="ics", filename=FILE_NAME)
    _set_boundaries(body, letter.message_id)
    return body


def _texts(letter: Letter | LinkLetter, wording: Wording, link: str, *, is_open: bool) -> EmailMessage:
    """Return what a letter says, as text and as HTML."""
    plain, rich = (_render(f"letter.{kind}", letter, wording, link, is_open=is_open) for kind in ("txt", "html"))
    body = EmailMessage(policy=_POLICY)
    # Quoted-printable also where it need not be: no server on the way rewraps it.
    body.set_content(plain, cte="quoted-printable")
    body.add_alternative(rich, subtype="html", cte="quoted-printable")
    return body


def _set_boundaries(body: EmailMessage, seed: str) -> None:
    """Draw the boundaries from the letter: the library's own are random."""
    for number, part in enumerate(part for part in body.walk() if part.is_multipart()):
        part.set_boundary(f"={sha256(f'{seed} {number}'.encode()).hexdigest()[:_BOUNDARY_LENGTH]}")


def _render(template: str, letter: Letter | LinkLetter, wording: Wording, link: str, *, is_open: bool) -> str:
    colors = letter.account.colors
    accent, header = colors.get("accent") or DEFAULT_ACCENT, colors.get("header")
    return (
        _environment()
        .get_template(template)
        .render(
            account=letter.account,
            logo=_logo(letter.account),
            letter=letter,
            light=palette("light", accent, header),
            dark=palette("dark", accent, header),
            link=link,
            is_open=is_open,
            words=wording,
        )
    )


def _logo(account: Account) -> str | None:
    """Return the logo's address if a mail may show it: readers of mail fetch https alone."""
    logo = account.logo_url and rules.sought(rules.web_address, account.logo_url)
    return logo if logo and logo.startswith("https://") else None


@cache
def _environment() -> Environment:
    # Imported with the first mail: a text message needs no template engine.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415

    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=select_autoescape(("html",), default=True, disabled_extensions=("txt",)),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
