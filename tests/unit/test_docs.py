"""What the documentation lists is what the product has: codes, routes, parameters, alarms, files."""

from __future__ import annotations

import ast
import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.template import resources, template
from tools.local.paths import ROOT
from vestibule import errors
from vestibule.http import api
from vestibule.http.problems import status_of
from vestibule.model import Session, User
from vestibule.store.directory.sessions import unique_names as unique_session_names
from vestibule.store.directory.users import unique_names

if TYPE_CHECKING:
    from collections.abc import Iterator

PRODUCT = ROOT / "layers" / "vestibule" / "vestibule"
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.glob("*.md")])

type Codes = dict[str, set[int]]
"""Statuses by code; empty for a code that has none."""

# `GET /v1/users`, or several methods of one path: `GET|POST /v1/users` (a table writes \\| for |).
ROUTE = re.compile(r"`((?:[A-Z]+\\?\|)*[A-Z]+) (/(?:v1|\.well-known)[^`?]*)`")

OPEN_TO_ALL = {"/v1/oauth/token", "/.well-known/jwks.json"}

STATUS_OF_CLASS = {
    "NotFoundError": HTTPStatus.NOT_FOUND,
    "ConflictError": HTTPStatus.CONFLICT,
    "BusyError": HTTPStatus.CONFLICT,
    "ForbiddenError": HTTPStatus.FORBIDDEN,
    "TooManyError": HTTPStatus.TOO_MANY_REQUESTS,
}


def calls() -> Iterator[tuple[str, list[ast.expr]]]:
    """Give name and positional arguments of every call in the product but the dialects', who have no codes."""
    for path in sorted(PRODUCT.rglob("*.py")):
        if "dialects" in path.relative_to(PRODUCT).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                yield name, node.args


def texts(node: ast.expr) -> set[str]:
    """Give what a code can be: a constant, or `{field}_taken` for each unique name of a user or a session."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.JoinedStr):
        somebody = User(
            user_id="1", account_id="1", full_name="", created_at=0, updated_at=0, external_id="x", username="y"
        )
        assert ast.unparse(node) == "f'{field}_taken'"
        session = Session(
            session_id="1",
            account_id="1",
            title="",
            host_user_id="1",
            starts_at=0,
            duration_minutes=1,
            time_zone="UTC",
            created_at=0,
            updated_at=0,
            external_id="x",
            friendly_url="y",
        )
        return {f"{name}_taken" for name in (*unique_names(somebody), *unique_session_names(session))}
    return set()


def raised() -> Codes:
    """Give the codes of the native API's own refusals."""
    found: Codes = {}
    for name, arguments in calls():
        if name in STATUS_OF_CLASS:
            for code in texts(arguments[0]):
                found.setdefault(code, set()).add(STATUS_OF_CLASS[name])
        if name == "RequestError" and isinstance(arguments[0], ast.Constant):
            for code in texts(arguments[1]):
                found.setdefault(code, set()).add(int(str(arguments[0].value)))
    for error in (
        errors.UnauthenticatedError(),
        errors.InternalError(),
        errors.UnavailableError("dynamodb"),
        errors.InvalidError(),
        errors.ReusedKeyError(),
        errors.VersionMismatchError(),
    ):
        found.setdefault(error.code, set()).add(status_of(error))
    return found


def said_by_the_gateway() -> Codes:
    """Give the codes of what API Gateway answers by itself at the native API."""
    responses = resources("AWS::Serverless::Api")["NativeApi"]["Properties"]["GatewayResponses"].values()
    documents = [json.loads(response["ResponseTemplates"]["application/json"]) for response in responses]
    return {document["code"]: {document["status"]} for document in documents}


def raised_for_members() -> set[str]:
    """Give the codes that an entry of `errors` can have."""
    by_position = {"RuleError": 0, "FieldError": 1, "refuse": 1}
    found = {
        code
        for name, arguments in calls()
        if name in by_position and len(arguments) > by_position[name]
        for code in texts(arguments[by_position[name]])
    }
    # Those that pydantic's findings become.
    kinds = ("extra_forbidden", "missing", "string_type")
    findings = [{"type": kind, "loc": ("x",), "msg": ""} for kind in kinds]
    return found | {api._field_error(finding).code for finding in findings}  # noqa: SLF001 - it has them alone


def raised_by_the_token_endpoint() -> Codes:
    found: Codes = {"server_error": {500}, "temporarily_unavailable": {503}}
    for name, arguments in calls():
        if name == "OAuthError":
            status = arguments[2].value if len(arguments) > 2 and isinstance(arguments[2], ast.Constant) else 400
            for code in texts(arguments[0]):
                found.setdefault(code, set()).add(int(str(status)))
    return found


def section(page: str, heading: str) -> str:
    """Give a page's text below a heading, up to the next one."""
    text = (DOCS / page).read_text()
    _, found, rest = text.partition(f"\n## {heading}\n")
    assert found, f"{page} has no section {heading!r}"
    return rest.partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Give the cells of each row of a section's table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def documented(heading: str) -> Codes:
    return {
        row[0].strip("`"): {int(status) for status in re.findall(r"\d{3}", row[1])}
        for row in rows(section("errors.md", heading))
    }


def test_every_code_of_a_refusal_is_documented_with_its_status_and_no_other_is() -> None:
    native = raised()
    for code, statuses in said_by_the_gateway().items():
        native.setdefault(code, set()).update(statuses)
    assert documented("Requests") == native


def test_every_code_of_a_member_is_documented_and_no_other_is() -> None:
    assert {row[0].strip("`") for row in rows(section("errors.md", "Members"))} == raised_for_members()


def test_every_error_of_the_token_endpoint_is_documented_with_its_status_and_no_other_is() -> None:
    assert documented("Token endpoint") == raised_by_the_token_endpoint()


def api_routes(*apis: str) -> set[tuple[str, str]]:
    """Give method and path of every route of some REST APIs."""
    found = set()
    for function in resources("AWS::Serverless::Function").values():
        for event in function["Properties"].get("Events", {}).values():
            properties: dict[str, Any] = event["Properties"]
            if event["Type"] == "Api" and properties["RestApiId"]["Ref"] in apis:
                found.add((properties["Method"].upper(), properties["Path"]))
    return found


def test_every_route_of_the_native_api_is_in_the_readme_and_in_the_api_page() -> None:
    expected = api_routes("NativeApi")
    for page in (ROOT / "README.md", DOCS / "api.md"):
        listed = set()
        for methods, path in ROUTE.findall(page.read_text()):
            listed |= {(method, path) for method in re.split(r"\\?\|", methods)}
        assert listed >= expected, f"{page.name} does not name {sorted(expected - listed)}"
        assert listed <= expected, f"{page.name} names {sorted(listed - expected)}, which do not exist"


def described() -> Iterator[tuple[str, str, ast.FunctionDef]]:
    """Give every route of the native API as its function's file describes it: folder, docstring, code."""
    for path in sorted((ROOT / "functions").glob("*/app.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and any(
                "api.route" in ast.unparse(one) for one in node.decorator_list
            ):
                yield path.parent.name, ast.get_docstring(node) or "", node


def listed_after(word: str, text: str) -> set[str]:
    """Give the names that a docstring lists after a word."""
    found = re.search(rf"^{word}: (.*?)\.$", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"\w+", found[1])) if found else set()


def test_every_route_says_what_it_does_takes_and_refuses() -> None:
    known = documented("Requests")
    routes = list(described())
    assert len(routes) == len([route for route in api_routes("NativeApi") if route[1] not in OPEN_TO_ALL])
    for folder, text, node in routes:
        where = f"{folder}: {node.name}"
        assert re.match(r"[A-Z][^\n]*\.(\n\n|$)", text), where
        assert listed_after("Errors", text) <= set(known), where
        asked = {
            argument.value
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "request.query"
            for argument in call.args
            if isinstance(argument, ast.Constant)
        }
        assert asked <= listed_after("Parameters", text), where


def test_every_page_of_the_hub_is_in_the_api_page() -> None:
    text = section("api.md", "The hub")
    missing = [path for _, path in api_routes("HubApi") if path not in {"/", "/{proxy+}"} and f"`{path}`" not in text]
    assert missing == []


def test_every_parameter_of_the_template_is_explained() -> None:
    listed = {row[0].strip("`") for row in rows(section("operations.md", "Parameters"))}
    assert listed == set(template()["Parameters"])


def test_every_alarm_says_what_to_do() -> None:
    listed = {row[0].strip("`") for row in rows(section("operations.md", "Alarms"))}
    assert listed == set(resources("AWS::CloudWatch::Alarm"))


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z]+)", page.read_text()))
        assert named <= targets, f"{page.name} names {sorted(named - targets)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_every_path_leads_to_a_file(page: Any) -> None:
    text = page.read_text()
    linked = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    missing = [target for target in linked if target and "://" not in target and not (page.parent / target).exists()]
    # `layers/...`, `functions/...`: paths from the repository's top.
    named = re.findall(r"`((?:layers|functions|tools|tests|docs|events|bench)/[\w./-]+)`", text)
    missing += [path for path in named if not (ROOT / path).exists()]
    assert missing == []


def test_the_security_page_names_every_function_that_may_read_the_signing_keys() -> None:
    secret = {"Fn::GetAtt": ["SigningKeysSecret", "Id"]}
    readers = {
        one["Properties"]["CodeUri"].removeprefix("functions/")
        for one in resources("AWS::Serverless::Function").values()
        for policy in one["Properties"].get("Policies", ())
        if any(statement.get("Resource") == secret for statement in policy.get("Statement", ()))
    }
    (line,) = re.findall(r"(?m)^\| signing keys \|.*$", (DOCS / "security.md").read_text())
    assert set(re.findall(r"`(\w+)`", line)) == readers
