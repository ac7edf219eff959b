"""What API Gateway hands to a function, made up for one: REST proxy events and the context beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vestibule.domain import scopes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REQUEST_ID = "0b1c2d3e-request"
FUNCTION_REQUEST_ID = "9f8e7d6c-function"
ADDRESS = "203.0.113.7"
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"


@dataclass(frozen=True)
class Context:
    """What Lambda says about the invocation."""

    function_name: str = "vestibule-under-test"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:000000000000:function:vestibule-under-test"
    aws_request_id: str = FUNCTION_REQUEST_ID


CONTEXT = Context()


def rest_event(
    method: str,
    path: str,
    *,
    resource: str | None = None,
    path_values: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: str | None = None,
    authorizer: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the event of a request; the gateway has matched it to ``resource``, else to its own path."""
    given = dict(headers or {})
    return {
        "resource": resource or path,
        "path": path,
        "httpMethod": method,
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": dict(path_values) if path_values else None,
        "stageVariables": None,
        "requestContext": {
            "requestId": REQUEST_ID,
            "resourcePath": resource or path,
            "httpMethod": method,
            "path": f"/live{path}",
            "stage": "live",
            "domainName": None,
            "identity": {"sourceIp": ADDRESS, "userAgent": given.get("User-Agent")},
            "authorizer": dict(authorizer) if authorizer is not None else None,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def caller(
    account_id: str,
    *,
    client_id: str = "",
    granted: Sequence[str] = scopes.ALL,
    exp: int | None = None,
) -> dict[str, str]:
    """Return what the authorizer says about a caller."""
    return {
        "account_id": account_id,
        "client_id": client_id or f"{account_id}-testing",
        "scopes": " ".join(granted),
        "exp": "" if exp is None else str(exp),
    }


def native_event(
    method: str,
    path: str,
    *,
    account_id: str | None = None,
    authorizer: Mapping[str, str] | None = None,
    body: Any = None,
    content_type: str = "application/json",
    **further: Any,
) -> dict[str, Any]:
    """Return a call of the native API with a JSON body; the caller may do everything unless told otherwise."""
    said = authorizer if account_id is None else caller(account_id)
    headers = {"Content-Type": content_type, **further.pop("headers", {})}
    text = body if body is None or isinstance(body, str) else json.dumps(body)
    return rest_event(method, path, headers=headers, body=text, authorizer=said, **further)


def hub_event(
    method: str,
    path: str,
    *,
    slug: str = "clinic",
    cookie: str | None = None,
    **further: Any,
) -> dict[str, Any]:
    """Return a browser's request at an account's hub host."""
    headers = {
        "Host": f"{slug}.hub.vestibule.example",
        "User-Agent": USER_AGENT,
        **({"Cookie": f"portal=1; __Host-vestibule={cookie}"} if cookie else {}),
        **further.pop("headers", {}),
    }
    return rest_event(method, path, headers=headers, **further)


def json_of(answer: Mapping[str, Any]) -> Any:
    """Return an answer's JSON body."""
    return json.loads(answer["body"])


def header(answer: Mapping[str, Any], name: str) -> str | None:
    """Return an answer's header in whichever of the two places and spellings it stands."""
    for held, value in (answer.get("headers") or {}).items():
        if held.lower() == name.lower():
            return str(value)
    for held, values in (answer.get("multiValueHeaders") or {}).items():
        if held.lower() == name.lower() and values:
            return str(values[-1])
    return None


def cookie_of(answer: Mapping[str, Any]) -> str | None:
    """Return the value of the sign-in cookie that an answer sets, ``""`` when it takes it away."""
    for held in (answer.get("multiValueHeaders") or {}).get("Set-Cookie", ()):
        name, _, rest = held.partition("=")
        if name == "__Host-vestibule":
            return str(rest.partition(";")[0])
    return None
