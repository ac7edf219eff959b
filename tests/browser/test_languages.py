"""Pages in other languages: no less accessible, and no wider than a phone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.looks import NARROWEST, PHONE, barriers, broken_words, faint_texts, overflow
from tests.unit.test_pages import CLINIC, FULL
from vestibule.http.pages.render import render
from vestibule.languages import translation

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Visitor
    from tests.support.portal import Portal


@pytest.fixture(scope="module")
def paper(browser: Browser) -> Generator[Page]:
    """A tab that loads nothing: what a page looks like before anything has come after it."""
    context = browser.new_context(viewport=NARROWEST, reduced_motion="reduce")
    context.route("**/*", lambda route: route.abort())
    yield context.new_page()
    context.close()


@pytest.mark.req("H02")
@pytest.mark.parametrize("language", ["de", "fr"])
@pytest.mark.parametrize(("template", "values"), FULL.items())
def test_every_page_in_every_language(paper: Page, language: str, template: str, values: dict[str, Any]) -> None:
    body = render(template, CLINIC, texts=translation(language), **values)["body"]
    paper.emulate_media(color_scheme="light")
    paper.set_content(re.sub(r'<meta http-equiv="refresh"[^>]*>', "", body))

    assert barriers(paper) == []
    assert overflow(paper) == 0
    paper.emulate_media(color_scheme="dark")
    assert faint_texts(paper) == []


@pytest.mark.req("H02")
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_no_word_on_a_button_is_broken(paper: Page, language: str) -> None:
    # given: the pages in longer words than those they were drawn for
    for template, values in FULL.items():
        body = render(template, CLINIC, texts=translation(language), **values)["body"]
        paper.set_content(re.sub(r'<meta http-equiv="refresh"[^>]*>', "", body))

        # when: from a wide screen down to where the page changes its shape, and on a telephone
        for width in (1280, 1100, 900, 710, PHONE["width"]):
            paper.set_viewport_size({"width": width, "height": 800})

            # then
            assert (template, width, broken_words(paper)) == (template, width, [])
    paper.set_viewport_size(NARROWEST)


def test_a_browsers_language_is_spoken_until_somebody_is_known_by_another(
    visitors: Callable[..., Visitor], clinic: Portal, open_portal: Callable[..., Portal]
) -> None:
    # given: somebody whose browser asks for German
    visitor = visitors(locale="de-AT")
    page = visitor.page

    # when, then: nobody is known
    page.goto(f"{clinic.hub_url}/join")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mit Ihrem Code beitreten")
    expect(page.locator("html")).to_have_attribute("lang", "de")

    # when, then: somebody is, who reads French
    user = clinic.create_user(full_name="Mia Lindqvist", locale="fr-CH")
    visitor.arrive(clinic, user["id"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Bonjour, Mia Lindqvist")

    # when, then: the account reads English
    english = open_portal(name="Lakeside Clinic", locale="en")
    page.goto(f"{english.hub_url}/join")
    expect(page.get_by_role("heading", level=1)).to_have_text("Join with your code")
