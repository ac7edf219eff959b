"""Letters to write, and mails to read as a stranger's program would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from vestibule.domain.letters import Letter, LetterKind, LinkLetter
from vestibule.model import Account, LinkPurpose, Participant, ParticipantRole, Session, SessionStatus, User

if TYPE_CHECKING:
    from email.message import EmailMessage

HUB = "https://lakeside.hub.vestibule.example"
LINK = f"{HUB}/p/481516234-231415926-Zk3v9Q1xYb7mT0aLr8sWcE5uHdPjNfGi"
STARTS_AT = 1_795_528_800_000
"""2026-11-24T14:00:00Z: a Tuesday, winter in Berlin and in New York."""
PASSKEY = "5f0c1a52-6d3b-4f7e-9a8c-2b1d0e4f6a7b"

ACCOUNT = Account(
    account_id="100200300",
    slug="lakeside",
    name="Lakeside Clinic",
    created_at=0,
    updated_at=0,
    logo_url="https://cdn.lakeside.example/logo.png",
    colors={"accent": "#7a1f4b", "header": "#14213d"},
)
SESSION = Session(
    session_id="481516234",
    account_id="100200300",
    title="Follow-up: knee & shoulder",
    host_user_id="700800900",
    starts_at=STARTS_AT,
    duration_minutes=90,
    time_zone="Europe/Berlin",
    created_at=0,
    updated_at=0,
    presenters=("presenter@elsewhere.example",),
    organizers=("organizer@elsewhere.example",),
)
GRACE = Participant(
    participant_id="231415926",
    account_id="100200300",
    session_id="481516234",
    identity="x",
    full_name="Grace Hopper",
    role=ParticipantRole.ATTENDEE,
    sealed_code="",
    created_at=0,
    updated_at=0,
    email="grace@lakeside.example",
)


def a_letter(kind: LetterKind = LetterKind.INVITATION, **changes: Any) -> Letter:
    """Give a letter to Grace; `account`, `session` and `participant` take a mapping of what is different."""
    records = {"account": ACCOUNT, "session": SESSION, "participant": GRACE}
    if kind is LetterKind.CANCELLATION:
        records["session"] = replace(SESSION, status=SessionStatus.CANCELLED)
    for name in records.keys() & changes.keys():
        records[name] = replace(records[name], **changes.pop(name))  # type: ignore[type-var]
    plain = {
        "host_name": "Maria Lindqvist",
        "hub_url": HUB,
        "personal_link": LINK,
        "join_link": f"{HUB}/join/123456789",
        "connect_code": "123456789",
        "passkey": PASSKEY,
        "sequence": 0,
        "at": 1_795_000_000_123,
        "message_id": "e7a1.231415926@lakeside.hub.vestibule.example",
        "sender": "sessions@vestibule.example",
        "is_registrants": kind is LetterKind.REGISTRATION,
    }
    return Letter(kind=kind, **(records | plain | changes))  # type: ignore[arg-type]


def read(mail: bytes) -> EmailMessage:
    """Read a mail."""
    return message_from_bytes(mail, policy=policy.SMTP)


def body(mail: bytes, kind: str) -> str:
    """Give the text of one alternative, `plain`, `html` or `calendar`, with the line ends of a program's own."""
    part = next(part for part in read(mail).walk() if part.get_content_type() == f"text/{kind}")
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


@dataclass
class Html:
    """What a mail program finds in a page.

    Attributes
    ----------
    links, images
        Addresses, in their order.
    tags
        Names of all elements.
    attributes
        Names of all attributes.
    text
        What is to be read.
    """

    links: list[str]
    images: list[str]
    tags: set[str]
    attributes: set[str]
    text: str

    @classmethod
    def of(cls, page: str) -> Html:
        """Read a page."""
        reader = _Reader()
        reader.feed(page)
        reader.close()
        return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Html([], [], set(), set(), "")
        self._is_hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.found.tags.add(tag)
        self.found.attributes |= values.keys()
        self._is_hidden = tag in {"style", "title"}
        if "href" in values:
            self.found.links.append(values["href"] or "")
        if "src" in values:
            self.found.images.append(values["src"] or "")

    def handle_data(self, data: str) -> None:
        if not self._is_hidden:
            self.found.text += data


def a_link_letter(purpose: LinkPurpose = LinkPurpose.SIGN_IN, **changes: Any) -> LinkLetter:
    """Give a letter with a link to Grace, who is a user; `account` and `user` take a mapping of what is different."""
    grace = User(
        user_id="700800901",
        account_id=ACCOUNT.account_id,
        full_name="Grace Hopper",
        email="grace@lakeside.example",
        username="grace",
        created_at=0,
        updated_at=0,
    )
    letter = LinkLetter(
        purpose=purpose,
        account=replace(ACCOUNT, **changes.pop("account", {})),
        user=replace(grace, **changes.pop("user", {})),
        link=f"{HUB}/sign-in/link/{'Zk3v9Q1xYb7mT0aLr8sWcE5uHdPjNfGiZk3v9Q1xYb7'}",
        usable_minutes=15,
        at=STARTS_AT,
        message_id="5a3e0c7b.700800901@lakeside.hub.vestibule.example",
        sender="sessions@vestibule.example",
    )
    return replace(letter, **changes)
