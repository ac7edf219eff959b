"""Stages: where the media of an account's sessions happen, and how people are sent there.

An account names its stage once, and every session opens on it.  Whoever goes in gets
a grant: a signed token of a few minutes that says which session, under which name and
in which role, and that signs nobody in anywhere else.  Who checks it decides its form:

- ``url``: the portal's own page.  The grant is ours (ES256, checked by our published keys).
- ``livekit``: a page in front of a LiveKit server, with LiveKit's access token.
- ``jitsi``: Jitsi with tokens, hosted by 8x8 (JaaS, RS256) or by the account (HS256).

A further kind is one more entry of `_GRANTS` and `_RULES`; a stage of our own will be
one whose address is a page of the hub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from vestibule import tokens
from vestibule.clock import MINUTE, SECOND
from vestibule.domain import rules
from vestibule.domain.rules import RuleError
from vestibule.model import ParticipantRole, Stage, StageKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vestibule.clock import Clock
    from vestibule.domain.entrances import Arrival
    from vestibule.domain.signing_keys import Signer
    from vestibule.ids import Randomness
    from vestibule.model import Account
    from vestibule.sealing import Sealing

GRANT_LIFETIME = 5 * MINUTE
"""How long after joining a grant opens the stage; what happens inside is the stage's business."""
SEAL = "stage secret"
SECRET_LENGTHS = range(32, 8_193)
"""Characters; HS256 wants 32 at least (RFC 7518, 3.2), and an RSA key's PEM has a few thousand."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = frozenset({"grant", "session_id", "room", "name", "role", "return_url"})
_ALSO_FOR = {StageKind.LIVEKIT: frozenset({"server_url"}), StageKind.JITSI: frozenset({"app_id"})}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,30}")
_WEB = frozenset({"http", "https"})
_NEVER = frozenset(
    {"about", "blob", "chrome", "data", "file", "filesystem", "ftp", "intent", "javascript", "vbscript", "view-source"}
    | {"ws", "wss"}
)
"""Schemes that are no application's, or run what follows them."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
_JAAS_URL = "https://8x8.vc/{app_id}/{room}?jwt={grant}"
_TOKEN_ID_BYTES = 12

_MAY_SPEAK = frozenset({ParticipantRole.HOST, ParticipantRole.PRESENTER, ParticipantRole.ORGANIZER})
_MODERATES = frozenset({ParticipantRole.HOST, ParticipantRole.ORGANIZER})


@dataclass(frozen=True, slots=True)
class Launch:
    """Where somebody goes to be in the session; holds the grant and is never stored.

    Attributes
    ----------
    in_place
        Whether the page that they come from shows it in a frame.
    """

    url: str
    opens_application: bool
    in_place: bool


class Stages:
    """Sends people to their account's stage.

    Parameters
    ----------
    issuer
        ``iss`` of our own grants: where the published keys are.
    signer
        The key that signs them.
    sealing
        Opens the stages' secrets.
    """

    def __init__(self, issuer: str, signer: Signer, sealing: Sealing, clock: Clock, random: Randomness) -> None:
        self._issuer = issuer
        self._signer = signer
        self._sealing = sealing
        self._clock = clock
        self._random = random

    def launch(self, account: Account, stage: Stage, arrival: Arrival, *, return_url: str) -> Launch:
        """Return the address that opens the stage for one person, for a few minutes.

        Parameters
        ----------
        return_url
            Where the stage sends its visitor back to; holds nothing that lets anybody in.

        Raises
        ------
        UnavailableError
            A key cannot be read.
        """
        grant = _GRANTS[stage.kind](self, account, stage, arrival, return_url)
        values = {
            "grant": grant,
            "session_id": arrival.session.session_id,
            "room": room_of(arrival),
            "name": arrival.name,
            "role": str(arrival.role),
            "return_url": return_url,
            "server_url": stage.server_url or "",
            "app_id": stage.app_id or "",
        }
        # JaaS has a slash in no id, and its app id stands in the path as it is.
        url = _PLACEHOLDER.sub(lambda found: quote(values[found[1]], safe=""), stage.url)
        return Launch(url, stage.opens_application, is_in_place(stage))

    def _house_grant(self, account: Account, stage: Stage, arrival: Arrival, return_url: str) -> str:
        kind = tokens.Kind(typ=tokens.STAGE_GRANT, issuer=self._issuer, audience=audience_of(stage.url))
        return tokens.sign(
            kind,
            self._signer.key(),
            subject=arrival.person.subject,
            token_id=self._random.token_hex(_TOKEN_ID_BYTES),
            now=self._clock(),
            lifetime=GRANT_LIFETIME,
            claims={
                "account_id": account.account_id,
                "session_id": arrival.session.session_id,
                "name": arrival.name,
                "role": str(arrival.role),
                "return_url": return_url,
                **_picture(arrival, "picture"),
            },
        )

    def _livekit_grant(self, account: Account, stage: Stage, arrival: Arrival, _: str) -> str:
        speaks = arrival.role in _MAY_SPEAK or (stage.attendees_publish and arrival.role is ParticipantRole.ATTENDEE)
        claims = {
            **self._times(),
            "iss": stage.key_id,
            "sub": arrival.person.subject,
            "name": arrival.name,
            "attributes": {"role": str(arrival.role), **_picture(arrival, "picture")},
            "video": {
                "room": room_of(arrival),
                "roomJoin": True,
                "roomAdmin": arrival.role in _MODERATES,
                "canSubscribe": True,
                "canPublish": speaks,
                "canPublishData": speaks,
                "hidden": arrival.role is ParticipantRole.OBSERVER,
            },
        }
        return tokens.sign_for_stage(claims, self._secret(account, stage), algorithm="HS256")

    def _jitsi_grant(self, account: Account, stage: Stage, arrival: Arrival, _: str) -> str:
        moderates = arrival.role in _MODERATES
        user = {"id": arrival.person.subject, "name": arrival.name, "affiliation": "owner" if moderates else "member"}
        user |= _picture(arrival, "avatar")
        claims: dict[str, Any] = {**self._times(), "room": room_of(arrival)}
        if stage.key_id is None:
            claims |= {"iss": stage.app_id, "aud": stage.app_id, "sub": urlsplit(stage.url).hostname}
            claims["context"] = {"user": {**user, "moderator": moderates}}
            return tokens.sign_for_stage(claims, self._secret(account, stage), algorithm="HS256")
        claims |= {"iss": "chat", "aud": "jitsi", "sub": stage.app_id}
        # JaaS reads its flags as texts.
        features = dict.fromkeys(("livestreaming", "recording", "transcription"), str(moderates).lower())
        claims["context"] = {"user": {**user, "moderator": str(moderates).lower()}, "features": features}
        return tokens.sign_for_stage(claims, self._secret(account, stage), algorithm="RS256", kid=stage.key_id)

    def _times(self) -> dict[str, Any]:
        now = self._clock() // SECOND
        # Their clock may be a little behind ours.
        early = now - tokens.LEEWAY // SECOND
        ends = now + GRANT_LIFETIME // SECOND
        return {"nbf": early, "iat": now, "exp": ends, "jti": self._random.token_hex(_TOKEN_ID_BYTES)}

    def _secret(self, account: Account, stage: Stage) -> str:
        return self._sealing.unseal(SEAL, account.account_id, stage.sealed_secret or "")


_GRANTS: Mapping[StageKind, Callable[[Stages, Account, Stage, Arrival, str], str]] = {
    StageKind.URL: Stages._house_grant,  # noqa: SLF001 - the class's own table
    StageKind.LIVEKIT: Stages._livekit_grant,  # noqa: SLF001
    StageKind.JITSI: Stages._jitsi_grant,  # noqa: SLF001
}


def _picture(arrival: Arrival, member: str) -> dict[str, str]:
    return {member: arrival.picture} if arrival.picture else {}


def room_of(arrival: Arrival) -> str:
    """Return a session's room on a stage that other accounts may share."""
    return f"vestibule-{arrival.session.account_id}-{arrival.session.session_id}"


def is_in_place(stage: Stage) -> bool:
    """Tell whether a stage is shown in a frame; one that opens an application cannot be."""
    return stage.in_place and not stage.opens_application


def audience_of(url: str) -> str:
    """Return ``aud`` of our own grants: the stage's origin, or an application's scheme with its colon."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme in _WEB else f"{parts.scheme}:"


# --- the account's setting ------------------------------------------------------------------


def stage_of(fields: Mapping[str, Any], before: Stage | None, seal: Callable[[str], str]) -> Stage:
    """Return a stage as it is stored, from the members that the account has set.

    Parameters
    ----------
    fields
        Fields of `Stage` by name, ``secret`` in clear instead of the sealed one; what is
        left out is its default.
    before
        The stage until now: the same kind with the same key keeps its secret when none is given.
    seal
        Seals a secret for this account.

    Raises
    ------
    RuleError
        A member breaks its rule.
    """
    kind = StageKind(fields["kind"])
    given = {name: value for name, value in fields.items() if value is not None and name not in {"kind", "secret"}}
    if refused := sorted(set(given) - _MEMBERS[kind]):
        raise RuleError("unknown_member", f"a stage of kind {kind} has no {', '.join(refused)}.")
    if kind is StageKind.JITSI and "key_id" in given:
        given.setdefault("url", _JAAS_URL)
    if missing := sorted(_NEEDED[kind] - set(given)):
        raise RuleError("required", f"a stage of kind {kind} needs {', '.join(missing)}.")
    for name in ("app_id", "key_id"):
        if name in given and not _NAME.fullmatch(given[name]):
            raise RuleError("invalid_id", f"{name} must have 1 to 128 letters, digits and . _ / - only.")
    stage = Stage(kind=kind, **given)
    return replace(_with_address(stage), sealed_secret=_sealed(stage, fields.get("secret"), before, seal))


_MEMBERS: Mapping[StageKind, frozenset[str]] = {
    StageKind.URL: frozenset({"url", "opens_application", "in_place"}),
    StageKind.LIVEKIT: frozenset({"url", "opens_application", "in_place", "server_url", "key_id", "attendees_publish"}),
    StageKind.JITSI: frozenset({"url", "opens_application", "in_place", "app_id", "key_id"}),
}
_NEEDED: Mapping[StageKind, frozenset[str]] = {
    StageKind.URL: frozenset({"url"}),
    StageKind.LIVEKIT: frozenset({"url", "server_url", "key_id"}),
    StageKind.JITSI: frozenset({"url", "app_id"}),
}


def _with_address(stage: Stage) -> Stage:
    """Return a stage whose address can be opened, marked when it leads out of the browser."""
    named = set(_PLACEHOLDER.findall(stage.url))
    unknown = sorted(named - _PLACEHOLDERS - _ALSO_FOR.get(stage.kind, frozenset()))
    if unknown:
        raise RuleError("unknown_placeholder", f"url: there is no placeholder {', '.join(unknown)}.")
    if "grant" not in named:
        raise RuleError("required", "url must hold {grant}, by which the stage knows who comes.")
    filled = _PLACEHOLDER.sub("x", stage.url)
    scheme, colon, rest = filled.partition(":")
    if scheme in _WEB:
        _check_place(stage.url)
        rules.web_address(filled)
    elif not colon or not rest or not _SCHEME.fullmatch(scheme) or scheme in _NEVER or not _is_plain(filled):
        raise RuleError("invalid_url", "url must be an https address, or one of an application's own scheme.")
    if stage.server_url is not None:
        _check_server(stage.server_url)
    return replace(stage, opens_application=stage.opens_application or scheme not in _WEB)


def _check_place(url: str) -> None:
    """Refuse an address whose host depends on who comes.

    Raises
    ------
    RuleError
        A placeholder stands before the path.
    """
    _, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "{" in authority or "}" in authority:
        raise RuleError("invalid_url", "url: placeholders may stand in path, query and fragment only.")


def _check_server(url: str) -> None:
    """Refuse what is no WebSocket address.

    Raises
    ------
    RuleError
        It is not.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in {"ws", "wss"}:
        raise RuleError("invalid_url", "server_url must be an address that begins with wss://.")
    rules.web_address(f"{'https' if scheme == 'wss' else 'http'}://{rest}")


def _is_plain(url: str) -> bool:
    return len(url) <= rules.URL_LENGTH and all("!" <= c <= "~" for c in url) and "\\" not in url


def _sealed(stage: Stage, secret: str | None, before: Stage | None, seal: Callable[[str], str]) -> str | None:
    if stage.kind is StageKind.URL:
        if secret is not None:
            raise RuleError("unknown_member", "a stage of kind url has no secret: its grants are signed by our keys.")
        return None
    if secret is None:
        if before is None or before.sealed_secret is None or _whose_secret(before) != _whose_secret(stage):
            raise RuleError("required", f"a stage of kind {stage.kind} needs its secret.")
        return before.sealed_secret
    if len(secret) not in SECRET_LENGTHS:
        raise RuleError("invalid_length", "secret must have 32 to 8192 characters.")
    if stage.kind is StageKind.JITSI and stage.key_id is not None and not tokens.is_rsa_key(secret):
        raise RuleError("invalid_key", "secret must be the private RSA key of the key_id, in PEM.")
    return seal(secret)


def _whose_secret(stage: Stage) -> tuple[StageKind, str | None, str | None]:
    """Return what a secret belongs to: with another one of these, it is another secret."""
    return stage.kind, stage.app_id, stage.key_id
