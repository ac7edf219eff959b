"""Pictures of every hub page at phone and desktop width, in light and dark, with an account's branding and without.

The pages are rendered straight from their templates: nothing has to run. A template that is not shown here is
an error, so that none is forgotten.

Usage: python -m tools.screenshots (as `make screenshots` does: writes .local/screenshots/*.png)
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from tools import chromium
from tools.local.paths import LOCAL
from vestibule.http.hub.plan_form import (
    CHANNELS,
    LIMITS,
    ROLES,
    TYPED_BEFORE,
    PeopleForm,
    PersonForm,
    Row,
    SessionForm,
    zones,
)
from vestibule.http.pages import assets
from vestibule.http.pages import render as render_module
from vestibule.http.pages.face import NO_ACCOUNT, AccountFace
from vestibule.http.pages.render import render
from vestibule.http.pages.times import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Route

FOLDER = LOCAL / "screenshots"
TEMPLATES = Path(render_module.__file__).with_name("templates")
PARTS = {"base.html", "icons.html"}
"""Templates that are no pages, besides those whose names begin with ``_``."""

HUB = "http://clinic.hub.localhost"
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="132" height="40" viewBox="0 0 132 40" font-family="sans-serif">'
    '<circle cx="20" cy="20" r="18" fill="#2a9d8f"/><path d="M20 10v20M10 20h20" stroke="#fff" stroke-width="5"/>'
    '<text x="48" y="27" font-size="20" font-weight="700" fill="#2a9d8f">lakeside</text></svg>'
)
FACES = {
    "branded": AccountFace(
        name="Lakeside Clinic",
        logo_url=f"{HUB}/logo.svg",
        colors={"accent": "#1d6f64"},
        navigation=(("Appointments", "/a"), ("Messages", "/m"), ("Help", "/h")),
        portal_url="https://portal.example/",
    ),
    "header": AccountFace(
        name="Northside Academy of Music and Performing Arts",
        colors={"accent": "#b3261e", "header": "#14213d"},
        navigation=(("Courses", "/c"), ("Help", "/h")),
        portal_url="https://portal.example/",
    ),
    "plain": AccountFace(name="Hillside School"),
}

BEGIN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def a_session(hours: float, title: str, state: str, **fields: Any) -> dict[str, Any]:
    """Return a session as the hub's dashboard shows it, some hours after `BEGIN`."""
    begins = BEGIN + timedelta(hours=hours)
    return {
        "id": f"4071{round(hours * 100):04}",
        "title": title,
        "begins": begins,
        "ends": begins + timedelta(minutes=30),
        "ends_days_later": 0,
        "moments": (1, 2, 3),
        "state": state,
        "is_host": True,
        "host_name": None,
        "people": (),
        "more": 0,
        "is_named": False,
        "manage_url": "/plan/1" if "host_name" not in fields else None,
        "join_url": "/s/40710000?launch=1" if state not in {"over", "cancelled"} else None,
        **fields,
    }


def a_day(distance: int, *sessions: dict[str, Any]) -> dict[str, Any]:
    """Return a day as the hub's dashboard shows it."""
    return {"date": (BEGIN + timedelta(days=distance)).date(), "distance": distance, "sessions": sessions}


TODAY = a_day(
    0,
    a_session(0, "First appointment", "over", people=("Ada Lovelace",)),
    a_session(1, "Follow-up", "running", people=("Zoë Ångström", "Émile Zola", "李小龍"), more=4),
    a_session(2, "Group therapy", "open", is_host=False, host_name="Dr. Grace Hopper", is_named=True),
    a_session(3, "Consultation with a title that is quite a bit longer than a line", "cancelled"),
    a_session(14, "Night watch", "upcoming", ends_days_later=1),
)
COMING = [
    a_day(1, a_session(24, "Consultation", "upcoming", people=("Alan Turing",))),
    a_day(9, a_session(216, "Consultation", "upcoming")),
]
FORM = {"url": "/sign-in?next=%2Fdashboard", "token": "t", "longest_name": 254}
MAILED = {"link_url": "/sign-in/link?next=%2Fdashboard", "password_url": "/sign-in/password?next=%2Fdashboard"}
ASK = {"form": FORM, "back_url": "/sign-in?next=%2Fdashboard"}
SENT = {"again_url": "/sign-in/link", "back_url": "/sign-in"}
REFUSED = {"is_token": False, "login": "", "dashboard_url": "/dashboard", "again_url": None}
PERSON = {
    "person_name": "Zoë Ångström",
    "form_token": "t",
    "login": "k",
    "idle_minutes": 240,
    "now": 1,
    "zone": "Europe/Berlin",
    "days": (),
    "plan_url": "/plan",
}
WHEN = Span(
    "2026-11-22T08:30:00Z",
    "2026-11-22T09:00:00Z",
    "Sunday, November 22, 2026",
    "9:30 AM \N{EN DASH} 10:00 AM",
    "Europe/Berlin",
)
PLANNED = {
    "form_token": "t",
    "form_key": "k",
    "form_user": "1",
    "is_typed": False,
    "url": "/plan/1",
    "session_title": "Follow-up",
    "when": WHEN,
}
TYPED = SessionForm(title="Follow-up", day="2026-11-23", clock="09:30", minutes="30", zone="Europe/Berlin")
SHEET = {
    **PLANNED,
    "typed": TYPED,
    "people": PeopleForm(),
    "roles": ROLES,
    "zones": zones("UTC"),
    "problems": {},
    "limits": LIMITS,
    "minutes": 30,
    "has_password": True,
    "version": "1",
}
TYPED_WRONG = {
    "typed": replace(TYPED, title="", day="2025-11-23"),
    "people": PeopleForm((Row("Zoë Ångström", "zoe@example"), Row("Émile Zola", "emile@example.org"), Row())),
    "problems": {"title": "invalid_length", "day": "in_the_past", "email-1": "invalid_email"},
}

PERSON_FORM = PLANNED | {
    "action": "/plan/1/participants/2/change",
    "now": PersonForm(name="Ada Lovelace", email="ada@example.org", notify="email"),
    "version": "1",
    "page": 1,
    "typed": PersonForm(name="Ada King", email="ada@example.org", phone="+49 30 1234567", notify="sms"),
    "roles": ROLES,
    "channels": CHANNELS,
    "problems": {},
    "limits": LIMITS,
}


def a_person(number: int, name: str, role: str = "attendee", **fields: Any) -> dict[str, Any]:
    """Return somebody who takes part, as the host's page shows them."""
    return {
        "id": str(number),
        "name": name,
        "email": f"{name.partition(' ')[0].lower()}@example.org",
        "role": role,
        "letter": None,
        "code": f"{number}71829304",
        "passkey": None,
        "personal_link": f"{HUB}/p/40710000-5071880{number}-mNf2yXb0c1dQe3fGh4iJ5k",
        "may_change": True,
        "may_remind": role != "host",
        "may_remove": role != "host",
        **fields,
    }


MANAGED = {
    **PLANNED,
    "minutes": 30,
    "phase": "upcoming",
    "is_open": True,
    "has_password": False,
    "session_link": f"{HUB}/s/40710000",
    "friendly_link": None,
    "join_url": "/s/40710000?launch=1",
    "people": [
        a_person(1, "Zoë Ångström", "host"),
        a_person(2, "Ada Lovelace", letter="delivered"),
        a_person(3, "Maria del Carmen Fernández de Córdoba y Álvarez de Toledo", "presenter", letter="bounced"),
    ],
    "count": 3,
    "page": 1,
    "pages": 1,
    "done": "planned",
    "alert": None,
}
DOOR = {
    "room_name": "Walk-in clinic",
    "here": "/u/front",
    "form_token": "t",
    "receivers": ["Dr. Grace Hopper", "Zoë Ångström"],
    "person_name": None,
    "is_receiver": False,
    "sign_in_url": "/sign-in",
    "starts": False,
    "problem": "",
    "name": "",
}
WAITING = DOOR | {
    "person_name": "Ada Lovelace",
    "minutes": 3,
    "is_admitted": False,
    "state_url": "/u/front/state",
    "again_in": 4_000,
    "refresh_seconds": 8,
}
ROOMS = {
    "form_token": "t",
    "login": "k",
    "action": "/dashboard/rooms",
    "is_too_late": False,
    "refresh_url": "/dashboard/rooms?again=1",
    "refresh_seconds": 10,
    "rooms": [
        {
            "id": "1",
            "name": "Walk-in clinic",
            "door": "https://lakeside.hub.vestibule.example/u/front",
            "waiters": [
                {"key": "guest:1", "name": "Ada Lovelace", "minutes": 12, "is_walk_in": True},
                {"key": "guest:2", "name": "Émile Zola", "minutes": 0, "is_walk_in": False},
            ],
        },
        {
            "id": "2",
            "name": "Surgery of Dr. Hopper",
            "door": "https://lakeside.hub.vestibule.example/u/surgery?domain=surgery.lakeside.example",
            "waiters": [],
        },
    ],
}
SESSION = {
    "session_title": "Follow-up",
    "when": WHEN,
    "person_name": "Ada Lovelace",
    "role": "attendee",
    "phase": "upcoming",
    "version": 1,
    "opens_in": 5_400_000,
    "opens_at": "9:20 AM",
    "opening": "2026-11-22T08:20:00.000Z",
    "again_in": 300_000,
    "state_url": "/s/1/state",
    "here": "/p/t",
    "action": "/p/t",
    "form_token": "",
    "ticket": None,
    "waiting_url": "/s/1/waiting",
    "refresh_seconds": 60,
    "has_stage": True,
    "is_host": False,
    "launch": "no",
    "session_id": "1",
    "fields": {},
    "return_path": None,
    "picture": None,
    "stage_url": None,
}
OPEN = SESSION | {"phase": "open", "opens_in": None}
COME_IN = {
    "action": "/s/1",
    "form_token": "t",
    "sign_in_url": "/sign-in",
    "person_name": None,
    "asks_password": True,
    "problem": "",
    "name": "",
}
REGISTER = {
    "session_title": "Open lecture",
    "when": WHEN,
    "action": "/s/1/register",
    "form_token": "t",
    "problems": frozenset(),
    "name": "",
    "email": "",
}
PAGES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "check": ("check.html", {"uses_devices": True}),
    "code": ("code.html", {"reason": "", "carried": {}}),
    "code-blocked": ("code.html", {"reason": "blocked", "carried": {}}),
    "code-wrong": ("code.html", {"reason": "unknown", "carried": {}}),
    "come-in": ("come_in.html", COME_IN),
    "come-in-wrong": ("come_in.html", COME_IN | {"problem": "password_wrong", "name": "Ada"}),
    "embed": ("embed.html", {"session_id": "1", "action": "/embed/1", "register_url": "/s/1/register"}),
    "embed-refused": ("embed_refused.html", {}),
    "launch": ("launch.html", {"launch_url": "zoommtg://x/", "opens_application": True, "back_url": "/s/1"}),
    "left": ("left.html", {"back_url": "/s/1"}),
    "register": ("register.html", REGISTER),
    "register-wrong": ("register.html", REGISTER | {"problems": {"name", "email"}, "email": "zoe@"}),
    "registered": ("registered.html", {"outcome": "taken"}),
    "registered-full": ("registered.html", {"outcome": "full"}),
    "seat-refused": ("seat_refused.html", {"action": "/s/1"}),
    "passkey": ("passkey.html", {"action": "/join/1", "carried": {}, "is_wrong": False}),
    "passkey-wrong": ("passkey.html", {"action": "/join/1", "carried": {}, "is_wrong": True}),
    "personal-refused": ("personal_refused.html", {}),
    "session-cancelled": ("session_closed.html", {"is_cancelled": True}),
    "session-over": ("session_closed.html", {"is_cancelled": False}),
    "session-unknown": ("session_unknown.html", {}),
    "session-waiting": ("session.html", SESSION),
    "session-open": ("session.html", OPEN),
    "session-open-application": ("session.html", OPEN | {"launch": "application", "role": "presenter"}),
    "session-without-stage": ("session.html", OPEN | {"has_stage": False, "is_host": True, "role": "host"}),
    "choose-organisation": ("choose_organisation.html", {"hub_host": "hub.vestibule.example"}),
    "choose-organisation-unknown": (
        "choose_organisation.html",
        {"hub_host": "hub.vestibule.example", "asked": "lakesite-clinic"},
    ),
    "dashboard": ("dashboard.html", PERSON),
    "dashboard-notices": (
        "dashboard.html",
        PERSON
        | {
            "person_name": "Maria del Carmen Fernández de Córdoba y Álvarez de Toledo",
            "notices": ["switched", "other_person", "other_session"],
        },
    ),
    "dashboard-sessions": ("dashboard.html", PERSON | {"days": [TODAY, *COMING], "next_url": "/dashboard?page=1"}),
    "form-refused": ("form_refused.html", {"back_url": "/dashboard"}),
    "launch-panel": ("launch_panel.html", PERSON | {"day": TODAY | {"sessions": TODAY["sessions"][2:3]}}),
    "launch-panel-over": ("launch_panel.html", PERSON | {"day": TODAY, "notices": ["session_over"]}),
    "host-only": ("host_only.html", {"form_token": "t", "is_session": True}),
    "host-only-guest": ("host_only.html", {"form_token": "t", "is_session": False}),
    "manage": ("manage.html", MANAGED),
    "manage-cancelled": (
        "manage.html",
        MANAGED
        | {"phase": "cancelled", "is_open": False, "join_url": None, "done": None}
        | {"alert": {"code": "session_cancelled", "name": None, "minutes": 0}},
    ),
    "plan": ("plan.html", SHEET),
    "plan-wrong": ("plan.html", SHEET | TYPED_WRONG),
    "plan-change": ("plan_change.html", SHEET),
    "plan-change-meanwhile": ("plan_change.html", SHEET | {"problems": {"": "changed_meanwhile"}}),
    "plan-people": ("plan_people.html", SHEET),
    "plan-person": ("plan_person.html", PERSON_FORM),
    "plan-person-meanwhile": ("plan_person.html", PERSON_FORM | {"problems": {"": "person_changed_meanwhile"}}),
    "plan-typed-before": ("plan.html", SHEET | {"problems": TYPED_BEFORE, "is_typed": True}),
    "plan-rotate": (
        "plan_confirm.html",
        PLANNED | {"what": "rotate", "action": "/plan/1/participants/2/rotate", "name": "Ada Lovelace", "page": 1},
    ),
    "plan-cancel": (
        "plan_confirm.html",
        PLANNED | {"what": "cancel", "action": "/plan/1/cancel", "name": None, "page": 1},
    ),
    "plan-remove": (
        "plan_confirm.html",
        PLANNED | {"what": "remove", "action": "/plan/1/participants/2/remove", "name": "Ada Lovelace", "page": 1},
    ),
    "link-refused": ("link_refused.html", REFUSED),
    "not-found": ("not_found.html", {}),
    "panel-only": ("panel_only.html", {"form_token": "t"}),
    "link-ask": ("ask_link.html", {**ASK, "is_password": False}),
    "link-ask-empty": ("ask_link.html", {**ASK, "is_password": False, "is_empty": True}),
    "link-ask-wait": ("ask_link.html", {**ASK, "is_password": False, "wait_minutes": 12}),
    "link-follow": ("follow_link.html", {"form": FORM}),
    "link-mailed-refused": ("mailed_link_refused.html", SENT),
    "link-sent": ("link_sent.html", {**SENT, "is_password": False}),
    "password-ask": ("ask_link.html", {**ASK, "is_password": True}),
    "password-choose": ("choose_password.html", {"form": FORM}),
    "password-choose-short": ("choose_password.html", {"form": FORM, "is_short": True}),
    "password-sent": ("link_sent.html", {**SENT, "is_password": True}),
    "room-door": ("room_door.html", DOOR),
    "room-door-full": ("room_door.html", DOOR | {"problem": "full"}),
    "room-door-own": ("room_door.html", DOOR | {"is_receiver": True, "person_name": "Dr. Grace Hopper"}),
    "room-turned-away": ("turned_away.html", {"here": "/u/front", "form_token": "t"}),
    "room-unknown": ("room_unknown.html", {}),
    "room-waiting": ("waiting.html", WAITING),
    "rooms": ("rooms.html", ROOMS),
    "rooms-none": ("rooms.html", ROOMS | {"rooms": [], "is_too_late": True}),
    "sign-in": ("sign_in.html", {"form": FORM}),
    "sign-in-mailed": ("sign_in.html", {"form": FORM, "mailed": MAILED}),
    "sign-in-expired": ("sign_in.html", {"form": FORM, "expired": True, "is_kept": True}),
    "sign-in-no-passwords": ("sign_in.html", {"form": None}),
    "sign-in-wait": ("sign_in.html", {"form": FORM, "wait_minutes": 12}),
    "sign-in-wrong": ("sign_in.html", {"form": FORM, "wrong": True, "name": "zoe"}),
    "signed-out": ("signed_out.html", {}),
    "unavailable": ("unavailable.html", {"retry_url": "/dashboard"}),
}
OF_NOBODY = "choose_organisation.html"
"""The page that no account's face is on."""
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
"""CSS pixels; a page that is longer is shown whole."""


def pages() -> Iterator[tuple[str, str]]:
    """Give each page's name and HTML, in the branding of each account."""
    for name, (template, values) in PAGES.items():
        faces = {"nobody": NO_ACCOUNT} if template == OF_NOBODY else FACES
        for face_name, face in faces.items():
            yield f"{name}-{face_name}", render(template, face, **values)["body"]


def serve(route: Route, documents: Mapping[str, str]) -> None:
    """Answer the browser as the hub would."""
    name = route.request.url.removeprefix(f"{HUB}/")
    if name == "logo.svg":
        route.fulfill(body=LOGO, content_type="image/svg+xml")
    elif name.startswith("static/"):
        answer = assets.respond(name.removeprefix("static/"))
        route.fulfill(status=answer["statusCode"], headers=answer["headers"], body=answer["body"])
    else:
        route.fulfill(body=documents[name], content_type="text/html; charset=utf-8")


def main() -> str | int:
    """Write the pictures; return what `sys.exit` takes."""
    shown = {template for template, _ in PAGES.values()}
    forgotten = {path.name for path in TEMPLATES.glob("[!_]*")} - PARTS - shown
    if forgotten:
        return f"not shown: {', '.join(sorted(forgotten))}; add them to {Path(__file__).name}"
    path = chromium.find_shell()
    if path is None:
        return chromium.HOW_TO_GET_ONE
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    documents = dict(pages())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=chromium.arguments())
        for size, (width, height) in SIZES.items():
            # Without scripts: there is no hub that they could ask.
            context = browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=False)
            tab = context.new_page()
            tab.route("**", lambda route: serve(route, documents))
            for name in documents:
                tab.goto(f"{HUB}/{name}")
                for scheme in ("light", "dark"):
                    tab.emulate_media(color_scheme=scheme)
                    tab.screenshot(path=FOLDER / f"{name}-{size}-{scheme}.png", full_page=True)
            print(f"screenshots: {2 * len(documents)} at {size} width", flush=True)
            context.close()
        browser.close()
    print(f"screenshots: {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
