"""A page as API Gateway's answer.

What leaves here has one inlined style sheet, whose hash is in the
Content-Security-Policy, and no other code in the page: no inline script, no
style or event attribute.  The policy is derived from the page itself, so a page
without a form or a script may have neither.  No page is kept by a cache, framed,
or named to another site.  A name that a template uses and the caller forgot is an
error, never an empty place.  All text is escaped; the one thing that is not is
the style sheet, which holds nobody's text.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vestibule.http.pages.assets import asset_url
from vestibule.http.pages.face import AccountFace, check_link, check_stage_link, initials, link_or_none, origin_of
from vestibule.http.pages.style import Style, style_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from vestibule.languages import Translation

_texts: "ContextVar[Translation]" = ContextVar("texts")
"""What the page that is being made is said in; the template engine's own hook takes no argument for it."""

_HEADERS: Mapping[str, str] = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_FRAMED: Mapping[str, str] = {"Cross-Origin-Resource-Policy": "cross-origin"}
"""A portal's page that isolates itself (COEP) asks it of whatever it frames."""
_POLICY = "Content-Security-Policy"
_PERMISSIONS = "Permissions-Policy"
_NO_DEVICES = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
_OWN_DEVICES = "camera=(self), display-capture=(), geolocation=(), microphone=(self), payment=(), usb=()"
_STAGES_DEVICES = (
    "camera=(self {0}), display-capture=(self {0}), geolocation=(), microphone=(self {0}), payment=(), usb=()"
)
_REFERRER = "Referrer-Policy"
_LANGUAGE = "Content-Language"
_RESERVED = frozenset(name.lower() for name in (*_HEADERS, _POLICY, _PERMISSIONS, _REFERRER, _LANGUAGE, "Set-Cookie"))


@cache
def _environment() -> "Environment":
    # Imported with the first page: redeem makes one only when it refuses, and its
    # start-up pays for no template engine.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    from vestibule.domain import moments  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _texts.get().gettext(text),
        lambda one, many, count: _texts.get().ngettext(one, many, count),
        newstyle=True,
    )
    environment.globals["asset"] = asset_url
    environment.filters["clock"] = _said(moments.time_text)
    environment.filters["code"] = _code
    environment.filters["day"] = _said(moments.date_text)
    environment.filters["initials"] = initials
    environment.filters["link"] = check_link
    environment.filters["link_or_none"] = link_or_none
    environment.filters["month"] = _said(moments.month_text)
    environment.filters["stage_link"] = check_stage_link
    environment.filters["weekday"] = _said(moments.weekday_text)
    return environment


def _english() -> "Translation":
    from vestibule.languages import translation  # noqa: PLC0415 - with the first page, as the template engine

    return translation()


def _said[V](write: "Callable[[Translation, V], str]") -> "Callable[[V], str]":
    """Return a filter that writes a value in the page's language."""
    return lambda value: write(_texts.get(), value)


def _code(text: str) -> "Markup":
    """Return a technical name as such, for the middle of a translated sentence."""
    from markupsafe import Markup  # noqa: PLC0415 - comes with the template engine

    return Markup("<code>{}</code>").format(text)


@lru_cache(maxsize=64)
def _style_source(style: str) -> str:
    return f"'sha256-{b64encode(sha256(style.encode('utf-8')).digest()).decode('ascii')}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a page has around it, and in it.

    Attributes
    ----------
    framed_by
        Origins whose pages may show this one in a frame.
    stage_url
        What the page itself may show in a frame, None for nothing.
    shows_pictures
        Whether it shows people's pictures, which may lie anywhere.
    has_token
        Whether its address may come with a token in the fragment, which it then has to lose.
    """

    framed_by: Sequence[str] = ()
    stage_url: str | None = None
    shows_pictures: bool = False
    has_token: bool = False


ALONE = Around()
OURSELVES = "'self'"
"""Among those who may frame a page: other pages of the same host."""


def _policy(body: str, style: Style, account: AccountFace, form_targets: Sequence[str], around: Around) -> str:
    images = ["'self'"]
    if account.logo_url is not None:
        images.append(origin_of(account.logo_url))
    if around.shows_pictures:
        images.append("https:")
    rules = {
        "default-src": ["'none'"],
        "style-src": [_style_source(style.text)],
        "img-src": images,
        "base-uri": ["'none'"],
        "frame-ancestors": list(around.framed_by) or ["'none'"],
        "form-action": ["'none'"],
    }
    if around.stage_url is not None:
        # Ourselves: where the stage sends its visitor when it is over for them.
        rules["frame-src"] = [origin_of(around.stage_url), OURSELVES]
    if "<form" in body:
        # Chromium applies form-action to the redirect that answers a form, too.
        targets = dict.fromkeys(origin_of(target) for target in form_targets)
        rules["form-action"] = ["'self'", *targets]
    if "<script" in body:
        rules["script-src"] = ["'self'"]
        rules["connect-src"] = ["'self'"]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in rules.items())


def _permissions(stage_url: str | None, *, uses_devices: bool) -> str:
    if stage_url is not None:
        return _STAGES_DEVICES.format(f'"{origin_of(stage_url)}"')
    return _OWN_DEVICES if uses_devices else _NO_DEVICES


def render(
    template: str,
    account: AccountFace,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[str] = (),
    form_targets: Sequence[str] = (),
    uses_devices: bool = False,
    around: Around = ALONE,
    texts: "Translation | None" = None,
    **values: object,
) -> dict[str, Any]:
    """Return a page as an answer of API Gateway's REST proxy integration.

    Parameters
    ----------
    template
        File name in the ``templates`` folder; its first lines say which values it needs.
    account
        Whose page it is, `vestibule.http.pages.face.NO_ACCOUNT` when nobody's.
    status
        HTTP status.
    headers
        More headers, such as ``Retry-After``.
    cookies
        Whole ``Set-Cookie`` values.
    form_targets
        Addresses whose origins a form's answer may redirect to.
    uses_devices
        Whether the page's own script may ask for camera and microphone.
    around
        Who may frame it, and what it frames; nobody and nothing unless said.
    texts
        What the page is said in; English when left out.
    **values
        What the template shows.

    Raises
    ------
    ValueError
        When ``headers`` names one that a page sets itself, or a target is no address.
    jinja2.UndefinedError
        When a value that the template needs is missing.
    """
    extra = dict(headers or {})
    if taken := _RESERVED.intersection(name.lower() for name in extra):
        raise ValueError(f"a page sets these headers itself: {', '.join(sorted(taken))}")
    style = style_of(account.colors.get("accent"), account.colors.get("header"))
    parents = [origin for origin in around.framed_by if origin != OURSELVES]
    page = _environment().get_template(template)
    said_in = texts or _english()
    token = _texts.set(said_in)
    try:
        body = page.render(
            account=account,
            style=style,
            lang=said_in.language,
            parents=parents,
            has_token=around.has_token,
            **values,
        )
    finally:
        _texts.reset(token)
    return {
        "statusCode": status,
        "headers": {
            **extra,
            **_HEADERS,
            # "no-referrer" makes browsers send "Origin: null" with a form, and a POST could
            # not be known for our own; no other site learns the address by "same-origin" either.
            _LANGUAGE: said_in.language,
            _REFERRER: "same-origin" if "<form" in body else "no-referrer",
            _POLICY: _policy(body, style, account, form_targets, around),
            _PERMISSIONS: _permissions(around.stage_url, uses_devices=uses_devices),
            **(_FRAMED if around.framed_by else {}),
        },
        "multiValueHeaders": {"Set-Cookie": list(cookies)} if cookies else {},
        "body": body,
        "isBase64Encoded": False,
    }
