"""Accounts: one portal's company each, with a hub host of its own.

Settings are read through a memory of 60 seconds; that is the stated delay with
which a change of them, or of an account's status, reaches every function.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.clock import MINUTE
from vestibule.domain import rules
from vestibule.domain.rules import Checks, RuleError
from vestibule.domain.signing_keys import LONGEST_TOKEN
from vestibule.errors import ConflictError, NotFoundError
from vestibule.memory import Memory
from vestibule.model import Account, NavigationLink, SeatPolicy, Stage, Status
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.store.directory.accounts import AccountStore
    from vestibule.store.directory.clients import ClientStore

REMEMBERED_FOR = MINUTE
"""How old the settings may be that a function uses."""
COLORS = ("accent", "header")
"""Colours that an account may set."""
REDIRECT_URIS_AT_MOST = 50
ORIGINS_AT_MOST = 40
"""Those that come and those that go in one change are one transaction."""
NAVIGATION_AT_MOST = 8

_LABEL_LENGTH = 40
_ATTEMPTS = 3
_LONGEST_IDLE = 30 * 24 * 60
"""Minutes: no sign-in lives longer than 30 days."""


class Accounts:
    """Reads, creates and changes accounts.

    Parameters
    ----------
    seal
        Seals a text of a kind for an account; asked when a stage's secret is set.
    """

    def __init__(
        self, store: AccountStore, clock: Clock, random: Randomness, seal: Callable[[str, str, str], str]
    ) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock
        self._random = random
        self._by_id: Memory[str, Account | None] = Memory(clock, keep=REMEMBERED_FOR)
        self._id_of_slug: Memory[str, str | None] = Memory(clock, keep=REMEMBERED_FOR)
        self._known_origins: Memory[str, bool] = Memory(clock, keep=REMEMBERED_FOR)

    def get(self, account_id: str) -> Account:
        """Return an account, at most 60 s old.

        Raises
        ------
        NotFoundError
            There is no such account.
        """
        account = self._by_id.get(account_id, lambda: self._store.get(account_id))
        if account is None:
            raise NotFoundError("account_not_found", "There is no such account.")
        return account

    def current(self, account_id: str) -> Account:
        """Return an account as it is now.

        Raises
        ------
        NotFoundError
            There is no such account.
        """
        account = self._store.get(account_id, consistent=True)
        if account is None:
            raise NotFoundError("account_not_found", "There is no such account.")
        return account

    def at_slug(self, slug: str | None) -> Account | None:
        """Return the active account of a hub host, at most 60 s old."""
        if slug is None:
            return None
        account_id = self._id_of_slug.get(slug, lambda: self._store.id_of_slug(slug))
        if account_id is None:
            return None
        account = self._by_id.get(account_id, lambda: self._store.get(account_id))
        return account if account and account.status is Status.ACTIVE else None

    def remembered_at_slug(self, slug: str) -> Account | None:
        """Return the account of a hub host if it is remembered, however old; nothing is read."""
        account = self._by_id.peek(self._id_of_slug.peek(slug) or "")
        return account if account and account.status is Status.ACTIVE else None

    def allows_origin(self, address: str, account_id: str | None) -> bool:
        """Tell whether pages of an origin may call from a browser, as of 60 s ago at most.

        Parameters
        ----------
        account_id
            Whose answer they would read; None for what is said to nobody in particular
            (a preflight, a refusal), which pages may read that any account has allowed.
        """
        if not is_origin(address):
            return False
        if account_id is None:
            return self._known_origins.get(address, lambda: self._store.knows_origin(address))
        return address in self.get(account_id).allowed_origins

    def all(self) -> list[Account]:
        """Return every account, oldest first; for operators."""
        found = (self._store.get(account_id) for account_id in self._store.list_ids())
        return [account for account in found if account is not None]

    def create(self, name: str, slug: str, settings: Mapping[str, Any]) -> Account:
        """Create an account.

        Parameters
        ----------
        settings
            Further fields of `Account`, by name.

        Raises
        ------
        InvalidError
            A setting breaks its rule.
        ConflictError
            The slug is taken.
        """
        while True:
            now = self._clock()
            account_id = ids.new_object_id(self._random)
            clean = self._clean(account_id, {**settings, "name": name, "slug": slug}, None)
            account = Account(account_id=account_id, created_at=now, updated_at=now, **clean)
            try:
                self._store.create(account)
            except ConditionFailedError as refused:
                if refused.index == 0:
                    continue
                raise _slug_taken() from refused
            return account

    def change(self, account_id: str, settings: Mapping[str, Any]) -> Account:
        """Change some settings of an account; None puts one back to its default.

        Raises
        ------
        InvalidError
            A setting breaks its rule; nothing is changed.
        ConflictError
            The new slug is taken, or others keep changing the account.
        """
        for _ in range(_ATTEMPTS):
            before = self.current(account_id)
            clean = self._clean(account_id, settings, before.stage)
            account = replace(before, **clean, updated_at=self._clock(), version=before.version + 1)
            try:
                self._store.replace(account, before=before)
            except ConditionFailedError as refused:
                if refused.index > 0:
                    raise _slug_taken() from refused
                continue
            self._by_id.forget(account_id)
            return account
        raise _changed_meanwhile()

    def set_status(self, account_id: str, status: Status, clients: ClientStore) -> Account:
        """Enable or disable an account together with its API clients.

        Raises
        ------
        ConflictError
            The account or a client was changed at the same moment.
        """
        before = self.current(account_id)
        account = replace(before, status=status, updated_at=self._clock(), version=before.version + 1)
        also = [
            clients.replacing(replace(client, account_status=status, version=client.version + 1), before=client)
            for client in clients.list_of(account_id)
        ]
        try:
            self._store.replace(account, before=before, also=also)
        except ConditionFailedError as refused:
            raise _changed_meanwhile() from refused
        return account

    def _clean(self, account_id: str, settings: Mapping[str, Any], stage: Stage | None) -> dict[str, Any]:
        """Return settings in their stored form.

        Parameters
        ----------
        stage
            The account's stage until now.

        Raises
        ------
        InvalidError
            For every setting that breaks its rule.
        """
        checks = Checks()
        clean: dict[str, Any] = {}
        for field, value in settings.items():
            if value is None and field in _CLEARED:
                clean[field] = _CLEARED[field]
            elif field == "stage":
                clean[field] = checks.apply(field, lambda given: self._stage(account_id, given, stage), value)
            else:
                clean[field] = checks.apply(field, _RULES[field], value)
        checks.finish()
        return clean

    def _stage(self, account_id: str, given: Mapping[str, Any], before: Stage | None) -> Stage:
        # Imported when a stage is set: every function reads accounts, one changes them.
        from vestibule.domain.stages import SEAL, stage_of  # noqa: PLC0415

        return stage_of(given, before, lambda secret: self._seal(SEAL, account_id, secret))


def _minutes(value: int) -> int:
    if not 1 <= value <= _LONGEST_IDLE:
        raise RuleError("out_of_range", f"must be 1 to {_LONGEST_IDLE} minutes.")
    return value


def _token_minutes(value: int) -> int:
    if not 1 <= value <= LONGEST_TOKEN // MINUTE:
        raise RuleError("out_of_range", f"must be 1 to {LONGEST_TOKEN // MINUTE} minutes.")
    return value


def _redirect_uris(values: Sequence[str]) -> tuple[str, ...]:
    if len(values) > REDIRECT_URIS_AT_MOST:
        raise RuleError("too_many", f"must be at most {REDIRECT_URIS_AT_MOST} addresses.")
    for value in values:
        rules.web_address(value)
        if "?" in value or "#" in value:
            raise RuleError("invalid_url", "must be origins or paths, without query or fragment.")
    return tuple(dict.fromkeys(values))


def _origins(values: Sequence[str]) -> tuple[str, ...]:
    if len(values) > ORIGINS_AT_MOST:
        raise RuleError("too_many", f"must be at most {ORIGINS_AT_MOST} origins.")
    return tuple(dict.fromkeys(rules.web_origin(value) for value in values))


def is_origin(value: str) -> bool:
    """Tell whether a text is an origin as browsers write it in ``Origin``: scheme, host, and a port that says more."""
    return rules.sought(rules.web_origin, value) == value


def _navigation(links: Sequence[Mapping[str, str]]) -> tuple[NavigationLink, ...]:
    if len(links) > NAVIGATION_AT_MOST:
        raise RuleError("too_many", f"must be at most {NAVIGATION_AT_MOST} links.")
    return tuple(
        NavigationLink(label=rules.text(link["label"], most=_LABEL_LENGTH), url=rules.web_address(link["url"]))
        for link in links
    )


def _colors(values: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(values) - set(COLORS))
    if unknown:
        raise RuleError("unknown_color", f"may hold {', '.join(COLORS)} only.")
    return {name: rules.color(value) for name, value in values.items()}


def _as_it_is(value: bool) -> bool:  # noqa: FBT001 - a rule takes its value by position
    return value


_RULES: dict[str, Callable[[Any], Any]] = {
    "name": rules.name,
    "slug": rules.slug,
    "logo_url": rules.web_address,
    "portal_url": rules.web_address,
    "colors": _colors,
    "navigation": _navigation,
    "redirect_uris": _redirect_uris,
    "idle_timeout_minutes": _minutes,
    "sign_in_lifetime_minutes": _minutes,
    "revoke_on_reuse": _as_it_is,
    "revoke_ends_sign_in": _as_it_is,
    "require_passkey": _as_it_is,
    "password_sign_in": _as_it_is,
    "launch_panel_only": _as_it_is,
    "allowed_origins": _origins,
    "sso_token_once": _as_it_is,
    "locale": rules.locale,
    "embed_token_minutes": _token_minutes,
    "seat_policy": SeatPolicy,
    "frame_ancestors": _origins,
}
_BLANK = Account(account_id="", slug="", name="", created_at=0, updated_at=0)
_CLEARED: dict[str, Any] = {
    field: getattr(_BLANK, field) for field in (*_RULES, "stage") if field not in {"name", "slug"}
}
"""What a setting becomes when it is put back: the defaults of `Account`."""


def _slug_taken() -> ConflictError:
    return ConflictError("slug_taken", "The slug belongs, or has belonged, to another account.")


def _changed_meanwhile() -> ConflictError:
    return ConflictError("account_changed", "The account was changed at the same moment.")
