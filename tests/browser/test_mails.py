"""Mails as mail programs show them: readable, narrow enough for a phone, and silent about who opened them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.letters import ACCOUNT, LINK, SESSION, a_letter, a_link_letter, body
from tests.support.looks import NARROWEST, WCAG, barriers, overflow
from vestibule.clock import DAY
from vestibule.domain.letters import LetterKind
from vestibule.mail.letters import compose, compose_link
from vestibule.model import LinkPurpose

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import Browser, Page, Route, ViewportSize

MAIL_SITE = "http://mail.localhost/"
DESKTOP: ViewportSize = {"width": 900, "height": 900}
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


class Reader:
    """A mail program: shows one mail, and notes what the mail makes it fetch."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.fetched: list[str] = []
        self._mail = ""
        page.context.route(lambda _: True, self._answer)

    def show(self, html: str) -> None:
        self._mail, self.fetched = html, []
        self.page.goto(MAIL_SITE)

    def _answer(self, route: Route) -> None:
        if route.request.url == MAIL_SITE:
            route.fulfill(content_type="text/html; charset=utf-8", body=self._mail)
        else:
            self.fetched.append(route.request.url)
            route.fulfill(status=204)


@pytest.fixture
def reader(browser: Browser) -> Generator[Reader]:
    """A mail program with a window of its own."""
    context = browser.new_context(viewport=DESKTOP)
    yield Reader(context.new_page())
    context.close()


def assert_readable(reader: Reader) -> None:
    """Hold a mail to the rules in light and dark and on the narrowest screen; it fetches the account's logo alone."""
    for scheme in ("dark", "light"):
        reader.page.emulate_media(color_scheme=scheme)
        assert barriers(reader.page, WCAG) == [], scheme
    reader.page.set_viewport_size(NARROWEST)
    assert overflow(reader.page) == 0
    assert reader.fetched == [ACCOUNT.logo_url]


@pytest.mark.req("S05")
@pytest.mark.parametrize(
    ("kind", "language"),
    [
        (LetterKind.INVITATION, "en"),
        (LetterKind.CHANGE, "de"),
        (LetterKind.CANCELLATION, "fr"),
        (LetterKind.REMINDER, "de"),
    ],
)
def test_a_mail_can_be_read_by_everybody_on_every_screen(reader: Reader, kind: LetterKind, language: str) -> None:
    # given
    before = replace(SESSION, starts_at=SESSION.starts_at - DAY, title="Knee")
    letter = a_letter(
        kind,
        previous=before if kind is LetterKind.CHANGE else None,
        recipient_locale=language,
        recipient_time_zone="America/New_York",
        account={"require_passkey": True, "name": LONG_WORD},
        session={"title": LONG_WORD},
        host_name=LONG_WORD,
    )

    # when
    reader.show(body(compose(letter), "html"))

    # then
    assert_readable(reader)


@pytest.mark.req("S05", "H02")
@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("purpose", LinkPurpose)
def test_a_link_that_was_asked_for_can_be_read_by_everybody(
    reader: Reader, purpose: LinkPurpose, language: str
) -> None:
    reader.show(body(compose_link(a_link_letter(purpose, user={"locale": language, "username": LONG_WORD})), "html"))

    assert_readable(reader)


@pytest.mark.req("S05")
def test_the_button_is_a_link_that_a_finger_meets(reader: Reader) -> None:
    # when
    reader.show(body(compose(a_letter()), "html"))
    reader.page.set_viewport_size(NARROWEST)

    # then
    button = reader.page.get_by_role("link", name="Enter the session")
    box = button.bounding_box()
    assert button.get_attribute("href") == LINK
    assert box is not None
    assert box["height"] >= 44
    assert box["width"] >= 200
