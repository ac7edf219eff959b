"""What the events in `events/` speak of, written into a local stack's tables.

The events name one account, its users, API clients, login URIs and browsers, whose ids and secrets stand in a
public repository. The invariant: they are written by this module alone, to a local stack alone, and a stack in
AWS knows none of them.

Writing again puts back what an event has used up: each login URI is fresh for an hour.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.operate import local_site
from vestibule import ids
from vestibule.clock import HOUR, MINUTE
from vestibule.domain import scopes
from vestibule.domain.participants import Invitee
from vestibule.domain.sessions import HostRef
from vestibule.model import (
    Account,
    AppKey,
    AppSecret,
    Client,
    ClientSecret,
    Entrance,
    Login,
    ParticipantRole,
    Registrant,
    Room,
    SessionStatus,
    SsoToken,
    User,
    Visit,
)
from vestibule.store.codes import CodeStore
from vestibule.store.directory.accounts import AccountStore
from vestibule.store.directory.app_secrets import AppSecretStore
from vestibule.store.directory.clients import ClientStore
from vestibule.store.directory.registrants import RegistrantStore
from vestibule.store.directory.rooms import RoomStore
from vestibule.store.directory.sessions import SessionStore
from vestibule.store.directory.users import UserStore
from vestibule.store.passes import LoginStore
from vestibule.store.sso_tokens import SsoTokenStore
from vestibule.store.table import Table
from vestibule.store.visits import VisitStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.local.stack import Stack
    from vestibule.wiring import House

ACCOUNT_ID = "20481001"
SLUG = "sample"
PORTAL = "https://portal.sample.example"

USER_ID, EXTERNAL_ID = "30517702", "mrn-2002"
LEAVING_USER_ID = "30517703"
CREATED_EXTERNAL_ID = "mrn-2009"
"""Of the user that `users-create.json` makes."""

REGISTRANT_ID = "51840277"
LEAVING_REGISTRANT_ID = "51840278"
APP_SECRET_ID = f"{ACCOUNT_ID}-sampleapps"
ROOM_ID, ROOM_CODE = "40718831", "front"
LEAVING_ROOM_ID, LEAVING_ROOM_CODE = "40718832", "leaving"
CREATED_ROOM_CODE = "hopper"
"""Of the room that `rooms-create.json` makes."""

SESSION_ID = "40718806"
LEAVING_SESSION_ID = "40718807"
PARTICIPANT_ID = "50718806"
LEAVING_PARTICIPANT_ID = "50718807"
CONNECT_CODE = f"9{PARTICIPANT_ID}"
SESSION_STARTS_AT = 7_226_582_400_000
"""Milliseconds since the epoch: far enough that the session is to come for as long as the events are used."""

CLIENT_ID = f"{ACCOUNT_ID}-events"
LEAVING_CLIENT_ID = f"{ACCOUNT_ID}-leaving"
CLIENT_SECRET = "a-sample-client-secret-of-events-only"  # noqa: S105 - see the module's docstring

USERNAME = "ada"
PASSWORD = "a-sample-password-of-events-only"  # noqa: S105 - see the module's docstring
PASSWORD_HASH = "$argon2id$v=19$m=65536,t=3,p=4$ioOkNNRc+B+jYzO4nH3bSA$iFxjUxd6Vopb/ppjIqYyy2jd0uaTqVtIyiPQApCQRIc"  # noqa: S105 - the same
"""Of that password; to make it anew each time would take a quarter of a second."""
SIGN_IN_SECRET = "a-sample-sign-in-secret-of-events-only"  # noqa: S105 - the same
SSO_TOKEN = f"d{1:031d}"
ISSUED = range(1, 6)
"""Numbers of the login URIs that nobody has followed yet."""
SIGNED_IN = range(21, 25)
"""Numbers of those that became sign-ins."""


def guid(number: int) -> str:
    """Return the GUID of a sample login URI: an `e`, zeros, and its number."""
    return f"e{number:031d}"


def write(stack: Stack) -> None:
    """Write everything that the events speak of, over whatever an event made of it.

    Parameters
    ----------
    stack
        A deployed local stack.
    """
    write_into(local_site(stack).house)


def write_into(house: House) -> None:
    """Write the same through a house whose tables are not those of AWS.

    Parameters
    ----------
    house
        A house over a local stack's tables, or over moto's.
    """
    now = house.clock()
    directory = _table(house, house.settings.directory_table)
    _write_account(AccountStore(directory), now)
    _write_clients(ClientStore(directory), now)
    _write_users(UserStore(directory), now)
    _write_app_secret(AppSecretStore(directory), now)
    _write_rooms(RoomStore(directory), now)
    _write_sessions(house, SessionStore(directory))
    _write_registrants(RegistrantStore(directory), now)
    _write_visit(VisitStore(_table(house, house.settings.journal_table)), now)
    logins = LoginStore(_table(house, house.settings.passes_table))
    for login in _logins(now):
        logins.create(login)
    SsoTokenStore(_table(house, house.settings.passes_table)).create(
        SsoToken(
            key=ids.digest(SSO_TOKEN),
            account_id=ACCOUNT_ID,
            user_id=USER_ID,
            slug=SLUG,
            created_at=now,
            expires_at=now + HOUR,
        )
    )


def _write_account(store: AccountStore, now: int) -> None:
    account = Account(
        account_id=ACCOUNT_ID,
        slug=SLUG,
        name="Sample Clinic",
        created_at=now,
        updated_at=now,
        redirect_uris=(PORTAL,),
        allowed_origins=(PORTAL,),
        portal_url=f"{PORTAL}/",
    )
    before = store.get(ACCOUNT_ID, consistent=True)
    if before is None:
        store.create(account)
    else:
        store.replace(replace(account, version=before.version + 1), before=before)


def _write_clients(store: ClientStore, now: int) -> None:
    for known in store.list_of(ACCOUNT_ID):
        store.delete(known)
    secret = ClientSecret(digest=ids.digest(CLIENT_SECRET), created_at=now)
    for client_id in (CLIENT_ID, LEAVING_CLIENT_ID):
        store.create(
            Client(
                client_id=client_id,
                account_id=ACCOUNT_ID,
                name=client_id.partition("-")[2],
                scopes=scopes.ALL,
                secrets=(secret,),
                created_at=now,
            )
        )


def _write_users(store: UserStore, now: int) -> None:
    created = store.standing(ACCOUNT_ID, CREATED_EXTERNAL_ID, consistent=True)
    for user_id in (USER_ID, LEAVING_USER_ID, *([created[0]] if created else [])):
        before = store.get(ACCOUNT_ID, user_id, consistent=True)
        if before is not None:
            store.delete(before)
    for user_id, name, external_id, username in (
        (USER_ID, "Ada Lovelace", EXTERNAL_ID, USERNAME),
        (LEAVING_USER_ID, "Charles Babbage", None, None),
    ):
        store.create(
            User(
                user_id=user_id,
                account_id=ACCOUNT_ID,
                full_name=name,
                external_id=external_id,
                username=username,
                password_hash=PASSWORD_HASH if username else None,
                created_at=now,
                updated_at=now,
            )
        )


def _write_app_secret(store: AppSecretStore, now: int) -> None:
    for known in store.list_of(ACCOUNT_ID):
        store.delete(known)
    key = AppKey(number=1, created_at=now)
    store.create(
        AppSecret(secret_id=APP_SECRET_ID, account_id=ACCOUNT_ID, name="course site", keys=(key,), created_at=now)
    )


def _write_registrants(store: RegistrantStore, now: int) -> None:
    # Real ones follow from their addresses; these have the ids that the events name.
    for known in store.page(ACCOUNT_ID, SESSION_ID, after=None, limit=100)[0]:
        store.cancel(known, now)
    for registrant_id, name in ((REGISTRANT_ID, "Mary Somerville"), (LEAVING_REGISTRANT_ID, "Charles Babbage")):
        seen = (store.trace(ACCOUNT_ID, SESSION_ID, registrant_id) or {}).get("version")
        registrant = Registrant(
            registrant_id=registrant_id,
            account_id=ACCOUNT_ID,
            session_id=SESSION_ID,
            email_mark=f"sample-{registrant_id}",
            email=f"{registrant_id}@sample.example",
            name=name,
            asked_by="sample",
            created_at=now,
            updated_at=now,
            version=(seen or 0) + 1,
        )
        store.write(registrant, seen=seen)


def _write_visit(store: VisitStore, now: int) -> None:
    visit = Visit(
        visit_id="5a3c",
        account_id=ACCOUNT_ID,
        session_id=SESSION_ID,
        entrance=Entrance.REGISTRANT,
        role=ParticipantRole.ATTENDEE,
        joined_at=now,
        left_at=now + 5 * MINUTE,
        name="Mary Somerville",
        own_id=f"registrant:{REGISTRANT_ID}",
    )
    store.begin(visit)
    store.mark(visit)


def _write_rooms(store: RoomStore, now: int) -> None:
    for code in (ROOM_CODE, LEAVING_ROOM_CODE, CREATED_ROOM_CODE):
        known = store.id_of_code(ACCOUNT_ID, code)
        before = store.get(ACCOUNT_ID, known, consistent=True) if known else None
        if before is not None:
            store.delete(before)
    for room_id, code in ((ROOM_ID, ROOM_CODE), (LEAVING_ROOM_ID, LEAVING_ROOM_CODE)):
        store.create(
            Room(
                room_id=room_id,
                account_id=ACCOUNT_ID,
                name="Walk-ins",
                code=code,
                slug=code,
                domain=f"{SLUG}.hub.vestibule.localhost",
                created_at=now,
                updated_at=now,
            )
        )
    store.assign(ACCOUNT_ID, LEAVING_ROOM_ID, USER_ID, now=now)


def _write_sessions(house: House, store: SessionStore) -> None:
    """Write two sessions; the one that events change has guests whose ids are known."""
    for session_id in (SESSION_ID, LEAVING_SESSION_ID):
        known = store.whole(ACCOUNT_ID, session_id)
        if known is None:
            fields = {"title": "Consultation", "starts_at": SESSION_STARTS_AT, "duration_minutes": 30}
            house.sessions.create(ACCOUNT_ID, HostRef(USER_ID), fields, session_id=session_id)
            continue
        before, people = known
        for one in people:
            if one.role is not ParticipantRole.HOST:
                store.write(store.removing(one))
        again = replace(
            before, title="Consultation", status=SessionStatus.SCHEDULED, cancelled_at=None, version=before.version + 1
        )
        store.write(store.replacing(again, before=before))
    session = house.sessions.get(ACCOUNT_ID, SESSION_ID)
    for participant_id, name in ((PARTICIPANT_ID, "Katherine Johnson"), (LEAVING_PARTICIPANT_ID, "Mary Jackson")):
        email = f"{name.partition(' ')[0].lower()}@sample.example"
        guest = Invitee(full_name=name, email=email, role=ParticipantRole.ATTENDEE)
        (draft,) = house.participants.drafts(session, [guest])
        code = house.links.sealed_code(ACCOUNT_ID, f"9{participant_id}")
        store.write(store.adding(session, replace(draft, participant_id=participant_id, sealed_code=code)))
    passes = _table(house, house.settings.passes_table)
    claim = CodeStore(passes).claiming(
        house.links.code_mark(CONNECT_CODE),
        account_id=ACCOUNT_ID,
        session_id=SESSION_ID,
        participant_id=PARTICIPANT_ID,
        now=house.clock(),
        held_until=session.ends_at,
    )
    passes.write(claim)


def _logins(now: int) -> Iterator[Login]:
    for number in (*ISSUED, *SIGNED_IN):
        issued = Login(
            key=ids.digest(guid(number)),
            account_id=ACCOUNT_ID,
            user_id=USER_ID,
            slug=SLUG,
            created_at=now,
            redeem_before=now + HOUR,
            idle_timeout=240 * MINUTE,
            lifetime=24 * HOUR,
            redirect_to_uri_on_expiry=f"{PORTAL}/welcome-back",
        )
        if number in ISSUED:
            yield issued
            continue
        yield replace(
            issued,
            redeemed_at=now,
            attempt=f"sample-{number}",
            secret_digest=ids.digest(SIGN_IN_SECRET),
            idle_until=now + issued.idle_timeout,
            live_until=now + issued.lifetime,
        )


def _table(house: House, name: str) -> Table:
    return Table(house.dynamodb, name, draw=random.random, pause=time.sleep)
