"""One request as API Gateway's REST proxy integration hands it over.

AWS and the local emulator differ in the case of header names and in what stands
in the path before the route; this is the one place that knows.  Nothing here is
ever logged whole: paths, headers and bodies hold secrets.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS_AT_MOST = 100

type Answer = dict[str, Any]
"""What a function returns to API Gateway."""


class Event:
    """A request.

    Parameters
    ----------
    raw
        The event of a REST API's Lambda proxy integration.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw

    @property
    def method(self) -> str:
        """The method in capitals."""
        return str(self.raw.get("httpMethod", "GET")).upper()

    @property
    def resource(self) -> str:
        """The route that matched, such as ``/login/{guid}``: safe to log."""
        return str(self.raw.get("resource", ""))

    @property
    def path(self) -> str:
        """The path as the client wrote it."""
        return str(self.raw.get("path", "/"))

    @cached_property
    def path_values(self) -> Mapping[str, str]:
        """Values of the route's variables, percent-decoded."""
        values = self.raw.get("pathParameters") or {}
        return {name: unquote(value) for name, value in values.items()}

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name; of a repeated one, the last value."""
        single = self.raw.get("headers") or {}
        return {name.lower(): value for name, value in single.items() if value is not None}

    @cached_property
    def query(self) -> Mapping[str, str]:
        """Query parameters as written; of a repeated one, the last value."""
        return {
            name: value for name, value in (self.raw.get("queryStringParameters") or {}).items() if value is not None
        }

    @cached_property
    def folded_query(self) -> Mapping[str, str]:
        """Query parameters by lower-case name."""
        return {name.lower(): value for name, value in self.query.items()}

    @cached_property
    def cookies(self) -> Mapping[str, str]:
        """Cookies by name.

        Read leniently (RFC 6265, 5.4): one odd cookie that a portal set for the
        whole domain must not hide ours, as it would in `http.cookies`.
        """
        pairs = (part.partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name.strip(): value.strip() for name, separator, value in pairs if separator}

    @property
    def host(self) -> str:
        """The host that the client asked for, with its port if it named one."""
        context = self.raw.get("requestContext") or {}
        return str(context.get("domainName") or self.headers.get("host", ""))

    @property
    def address(self) -> str:
        """The client's address as API Gateway saw it."""
        identity = (self.raw.get("requestContext") or {}).get("identity") or {}
        return str(identity.get("sourceIp") or "")

    @property
    def request_id(self) -> str:
        """API Gateway's id of the request; the client has it too (x-amzn-RequestId)."""
        return str((self.raw.get("requestContext") or {}).get("requestId") or "")

    @property
    def authorizer(self) -> Mapping[str, Any]:
        """What the authorizer said about the caller."""
        return (self.raw.get("requestContext") or {}).get("authorizer") or {}

    @cached_property
    def body(self) -> bytes:
        """The body's bytes."""
        body = self.raw.get("body") or ""
        if not self.raw.get("isBase64Encoded"):
            return str(body).encode("utf-8", "surrogatepass")
        try:
            return b64decode(body)
        except binascii.Error:
            return b""

    @cached_property
    def content_type(self) -> str:
        """The media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def form(self) -> Mapping[str, str]:
        """Return the fields of a form body; of a repeated one, the last value.

        A body with more fields than any form of ours or of OAuth's is none.
        """
        text = self.body.decode("utf-8", "replace")
        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_AT_MOST))
        except ValueError:
            return {}

    @property
    def is_speculative(self) -> bool:
        """Whether nobody has followed the link yet.

        HEAD and the browsers' marks of prefetch and prerender: a link that acts
        must not act on these.
        """
        marks = (self.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-moz"))
        words = " ".join(marks).lower()
        return self.method == "HEAD" or "prefetch" in words or "prerender" in words
