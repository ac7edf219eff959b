"""The front doors of the template: throttled, silent about paths, and answering in their own shape."""

from __future__ import annotations

import json
import re
import tomllib
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.support.template import NO_VALUE, references, resources, scalars, template
from tools.local.paths import ROOT
from vestibule.http import problems
from vestibule.http.api import Api
from vestibule.http.pages import render

APIS = resources("AWS::Serverless::Api")
DOMAIN_OF: dict[str, tuple[str, set[str | None]]] = {
    "NativeApi": ("ApiDomain", {None}),
    "SecureVideoApi": ("ApiDomain", {"securevideo", None}),
    "OnSyncApi": ("ApiDomain", {"onsync", None}),
    "VseeApi": ("ApiDomain", {"vsee", "vc", None}),
    "SequelApi": ("ApiDomain", {"sequel", None}),
    "HubApi": ("HubDomain", {None}),
}

DIALECTS = {api: next(iter(paths - {None, "vc"})) for api, (_, paths) in DOMAIN_OF.items() if paths != {None}}

# What API Gateway may answer by itself although every function is there and well.
EVERYWHERE = {
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "MISSING_AUTHENTICATION_TOKEN",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "WAF_FILTERED",
}
WITH_AUTHORIZER = {"UNAUTHORIZED", "ACCESS_DENIED", "AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"}
STATUS = {
    "DEFAULT_5XX": 503,
    "INTEGRATION_FAILURE": 503,
    "INTEGRATION_TIMEOUT": 503,
    "AUTHORIZER_FAILURE": 503,
    "AUTHORIZER_CONFIGURATION_ERROR": 503,
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 401,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "QUOTA_EXCEEDED": 429,
    "WAF_FILTERED": 429,
    "REQUEST_TOO_LARGE": 413,
}


def answers() -> list[Any]:
    """Return each gateway response as (API, type, status, headers, body)."""
    found = []
    for api, resource in APIS.items():
        for kind, response in resource["Properties"]["GatewayResponses"].items():
            headers = dict(response["ResponseParameters"]["Headers"])
            assert set(response["ResponseTemplates"]) == {"application/json"}, "the only one that is looked at"
            body = response["ResponseTemplates"]["application/json"]
            found.append(pytest.param(api, kind, response.get("StatusCode"), headers, body, id=f"{api}-{kind}"))
    return found


# --- stages ---


@pytest.mark.parametrize("api", APIS)
@pytest.mark.req("P03")
def test_every_api_is_throttled_and_traces_nothing(api: str) -> None:
    properties = APIS[api]["Properties"]
    (setting,) = properties["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert setting["ThrottlingRateLimit"] == {"Ref": "StageRateLimit"}
    assert setting["ThrottlingBurstLimit"] == {"Ref": "StageBurstLimit"}
    # both would log whole requests, paths and headers and all
    assert setting["DataTraceEnabled"] is False
    assert "LoggingLevel" not in setting
    assert "TracingEnabled" not in properties
    assert template()["Globals"]["Api"]["TracingEnabled"] is False


def test_every_api_is_regional_and_of_one_stage() -> None:
    assert template()["Globals"]["Api"]["EndpointConfiguration"] == {"Type": "REGIONAL"}
    for resource in APIS.values():
        assert resource["Properties"]["StageName"] == "live"
    assert not resources("AWS::Serverless::HttpApi")


@pytest.mark.parametrize("api", APIS)
def test_with_a_domain_of_its_own_no_api_has_another_entrance(api: str) -> None:
    assert APIS[api]["Properties"]["DisableExecuteApiEndpoint"] == {"Fn::If": ["HasCertificate", True, False]}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.req("L04")
def test_access_logs_hold_the_route_and_never_the_path(api: str) -> None:
    condition, setting, otherwise = APIS[api]["Properties"]["AccessLogSetting"]["Fn::If"]
    assert (condition, otherwise) == ("HasCertificate", NO_VALUE)
    assert references(setting["DestinationArn"]) == {"AccessLogGroup"}
    line = json.loads(setting["Format"])
    variables = set(re.findall(r"\$context\.[A-Za-z.]+", setting["Format"]))
    assert "$context.resourcePath" in line["route"]
    assert line["request_id"] == "$context.requestId"
    for leaky in (
        "path",
        "requestOverride.path",
        "protocol",
        "authorizer.context",
        "error.message",
        "identity.userAgent",
    ):
        assert f"$context.{leaky}" not in variables
    assert not {name for name in variables if re.search(r"(?i)header|query|cookie|body|integration\.latestBody", name)}
    # every stage's lines are alike, so one query reads them all
    assert len({json.dumps(one["Properties"]["AccessLogSetting"]) for one in APIS.values()}) == 1


# --- the authorizer ---


def test_the_native_api_asks_the_authorizer_once_a_minute_by_credential() -> None:
    auth = APIS["NativeApi"]["Properties"]["Auth"]
    (authorizer,) = auth["Authorizers"].values()
    assert auth["DefaultAuthorizer"] in auth["Authorizers"]
    assert authorizer["FunctionArn"] == {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]}
    assert authorizer["FunctionPayloadType"] == "REQUEST"
    assert authorizer["Identity"] == {"Headers": ["Authorization"], "ReauthorizeEvery": 60}


def test_dialects_and_pages_authenticate_inside() -> None:
    # A cached yes keyed by one header would hand one caller's to another.
    assert all("Auth" not in APIS[api]["Properties"] for api in APIS if api != "NativeApi")


# --- what the gateway says by itself ---


@pytest.mark.parametrize("api", APIS)
@pytest.mark.req("P01")
def test_every_door_has_an_answer_for_everything(api: str) -> None:
    properties = APIS[api]["Properties"]
    needed = EVERYWHERE | (WITH_AUTHORIZER if "Auth" in properties else set())
    assert needed <= set(properties["GatewayResponses"])


@pytest.mark.parametrize(("api", "kind", "status", "headers", "body"), answers())
@pytest.mark.req("P01", "P03")
def test_a_gateways_answer_is_safe_and_says_when_to_come_back(
    api: str, kind: str, status: int | None, headers: dict[str, str], body: str
) -> None:
    if kind in STATUS:
        assert status == STATUS[kind]
    assert "no-store" in headers["Cache-Control"] or "no-cache" in headers["Cache-Control"]
    assert ("Retry-After" in headers) is (status in {429, 503})
    # header values are literals, in the quotes that API Gateway wants, with none inside
    assert all(re.fullmatch(r"'[^']+'", value) for value in headers.values())
    # nothing of the request, and no word of API Gateway's own
    assert set(re.findall(r"\$[A-Za-z.]+", body)) <= {"$context.requestId"}


@pytest.mark.parametrize(
    ("kind", "status", "headers", "body"), [p.values[1:] for p in answers() if p.values[0] == "NativeApi"]
)
@pytest.mark.req("P01")
def test_the_native_apis_are_problem_documents(
    kind: str, status: int | None, headers: dict[str, str], body: str
) -> None:
    assert headers["Content-Type"] == f"'{problems.MEDIA_TYPE}'"
    document = json.loads(body)
    assert set(document) == {"type", "title", "status", "detail", "code", "request_id"}
    # Also for what has no status of its own here: AWS refuses an unknown route that comes with credentials by a 403.
    assert document["status"] == status
    assert document["type"] == f"urn:vestibule:problem:{document['code']}"
    assert document["request_id"] == "$context.requestId"
    assert (document["status"] == 401) is ("WWW-Authenticate" in headers)


@pytest.mark.req("P01")
def test_the_gateway_and_the_functions_say_the_same_of_the_same() -> None:
    # given: what a function says
    api: Any = Api(lambda: 0)
    assert api
    from vestibule.errors import NotFoundError, UnauthenticatedError, UnavailableError  # noqa: PLC0415

    said = {
        "UNAUTHORIZED": UnauthenticatedError(),
        "ACCESS_DENIED": UnauthenticatedError(),
        "DEFAULT_5XX": UnavailableError("x"),
        "RESOURCE_NOT_FOUND": NotFoundError("route_not_found", "There is no such route."),
    }
    responses = APIS["NativeApi"]["Properties"]["GatewayResponses"]
    for kind, error in said.items():
        # when
        by_function = json.loads(problems.problem(error, "$context.requestId")["body"])
        # then
        assert json.loads(responses[kind]["ResponseTemplates"]["application/json"]) == by_function


@pytest.mark.parametrize(
    ("kind", "status", "headers", "body"), [p.values[1:] for p in answers() if p.values[0] == "SecureVideoApi"]
)
@pytest.mark.req("D01")
def test_securevideos_are_its_messages(kind: str, status: int | None, headers: dict[str, str], body: str) -> None:
    assert headers["Content-Type"] == "'application/json; charset=utf-8'"
    assert set(json.loads(body)) == {"Message"}
    assert json.loads(body)["Message"].endswith(".")


@pytest.mark.parametrize(
    ("kind", "status", "headers", "body"), [p.values[1:] for p in answers() if p.values[0] == "OnSyncApi"]
)
@pytest.mark.req("D03")
def test_onsyncs_are_its_errors_in_xml(kind: str, status: int | None, headers: dict[str, str], body: str) -> None:
    assert headers["Content-Type"] == "'application/xml; charset=utf-8'"
    assert re.fullmatch(r"<xml><status>0</status><error>[^<>&]+\.</error></xml>", body)


@pytest.mark.parametrize(
    ("kind", "status", "headers", "body"), [p.values[1:] for p in answers() if p.values[0] == "VseeApi"]
)
@pytest.mark.req("D02")
def test_vsees_name_their_status_and_say_something(
    kind: str, status: int | None, headers: dict[str, str], body: str
) -> None:
    assert headers["Content-Type"] == "'application/json'"
    document = json.loads(body)
    assert list(document) == ["code", "message"]
    assert document["code"] == status
    assert document["message"].endswith(".")


@pytest.mark.parametrize(
    ("kind", "status", "headers", "body"), [p.values[1:] for p in answers() if p.values[0] == "SequelApi"]
)
@pytest.mark.req("D04", "P09")
def test_sequels_are_its_envelopes_and_readable_from_every_page(
    kind: str, status: int | None, headers: dict[str, str], body: str
) -> None:
    assert headers["Content-Type"] == "'application/json; charset=utf-8'"
    assert headers["Access-Control-Allow-Origin"] == "'*'"
    document = json.loads(body)
    assert list(document) == ["hasError", "errorMessage"]
    assert document["hasError"] is True
    assert document["errorMessage"].endswith(".")


class Tags(HTMLParser):
    """Notes the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        self.seen.append(tag)


@pytest.mark.parametrize(
    ("kind", "status", "headers", "body"), [p.values[1:] for p in answers() if p.values[0] == "HubApi"]
)
@pytest.mark.req("H01", "H04")
def test_the_hubs_are_small_pages_that_say_what_to_do(
    kind: str, status: int | None, headers: dict[str, str], body: str
) -> None:
    tags = Tags()
    tags.feed(body)
    assert set(tags.seen) == {"html", "meta", "title", "h1", "p"}
    assert '<html lang="en">' in body
    assert headers["Content-Type"] == "'text/html; charset=utf-8'"
    policy = headers["Content-Security-Policy"]
    assert {"default-src", "base-uri", "form-action", "frame-ancestors"} == set(policy.strip("'").split("; "))
    for name in ("Strict-Transport-Security", "X-Content-Type-Options", "Cross-Origin-Opener-Policy"):
        assert headers[name] == f"'{render._HEADERS[name]}'"  # noqa: SLF001 - as on the pages themselves
    assert headers["Referrer-Policy"] == "'no-referrer'"


# --- names ---


@pytest.mark.parametrize("api", APIS)
def test_every_api_has_its_place_under_a_name(api: str) -> None:
    domain, base_paths = DOMAIN_OF[api]
    mappings = [
        mapping["Properties"]
        for mapping in resources("AWS::ApiGateway::BasePathMapping").values()
        if mapping["Properties"]["RestApiId"] == {"Ref": api}
    ]
    assert {"Ref": domain} in [mapping["DomainName"] for mapping in mappings]
    assert {mapping.get("BasePath") for mapping in mappings} == base_paths
    assert {mapping["Stage"] for mapping in mappings} == {"live"}


def test_the_names_are_the_designs_and_their_connections_are_encrypted() -> None:
    domains = resources("AWS::ApiGateway::DomainName")
    assert {domain["Properties"]["DomainName"]["Fn::Sub"] for domain in domains.values()} == {
        "api.${DomainName}",
        "hub.${DomainName}",
        "*.hub.${DomainName}",
        *(f"{dialect}.${{DomainName}}" for dialect in DIALECTS.values()),
    }
    for domain in domains.values():
        properties = domain["Properties"]
        assert properties["SecurityPolicy"] == "TLS_1_2"
        assert properties["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
        assert properties["RegionalCertificateArn"] == {
            "Fn::If": ["HasCertificate", {"Ref": "CertificateArn"}, NO_VALUE]
        }
    records = resources("AWS::Route53::RecordSet")
    assert {record["Properties"]["Name"]["Fn::Sub"] for record in records.values()} == {
        domain["Properties"]["DomainName"]["Fn::Sub"] for domain in domains.values()
    }
    assert all(record["Condition"] in {"HasHostedZone", "HasDialectRecords"} for record in records.values())


@pytest.mark.req("D01", "D02", "D03", "D04")
def test_a_dialect_has_a_host_of_its_own_where_that_is_wanted() -> None:
    assert template()["Parameters"]["DialectHosts"]["Default"] == "false"
    by_name = {
        domain["Properties"]["DomainName"]["Fn::Sub"]: (logical_id, domain)
        for logical_id, domain in resources("AWS::ApiGateway::DomainName").items()
    }
    for api, dialect in DIALECTS.items():
        logical_id, domain = by_name[f"{dialect}.${{DomainName}}"]
        (mapping,) = (
            one
            for one in resources("AWS::ApiGateway::BasePathMapping").values()
            if one["Properties"]["DomainName"] == {"Ref": logical_id}
        )
        assert domain["Condition"] == mapping["Condition"] == "HasDialectHosts"
        assert mapping["Properties"]["RestApiId"] == {"Ref": api}
        assert "BasePath" not in mapping["Properties"]


# --- WAF ---


WAF = ("AWS::WAFv2::WebACL", "AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACLAssociation")


def test_the_firewall_is_there_where_it_is_wanted_and_nowhere_else() -> None:
    assert template()["Parameters"]["EnableWaf"]["Default"] == "false"
    assert template()["Conditions"]["UsesWaf"] == {"Fn::Equals": [{"Ref": "EnableWaf"}, "true"]}
    parts = [one for kind in WAF for one in resources(kind).values()]
    assert len(parts) == 2 + len(APIS)
    assert all(one["Condition"] == "UsesWaf" for one in parts)
    assert resources("AWS::Logs::LogGroup")["WafLogGroup"]["Condition"] == "UsesWaf"
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())
    assert "EnableWaf=true" in settings["production"]["deploy"]["parameters"]["parameter_overrides"]


def test_it_counts_by_credential_and_by_address() -> None:
    (acl,) = resources("AWS::WAFv2::WebACL").values()
    by_credential, by_address = acl["Properties"]["Rules"]
    assert by_credential["Action"] == by_address["Action"] == {"Block": {}}
    statement = by_credential["Statement"]["RateBasedStatement"]
    assert statement["AggregateKeyType"] == "CUSTOM_KEYS"
    assert statement["CustomKeys"][0]["Header"]["Name"] == "authorization"
    assert statement["Limit"] == {"Ref": "WafRequestsPerCredential"}
    # whoever sends none must not fill one common count
    assert statement["ScopeDownStatement"]["SizeConstraintStatement"]["ComparisonOperator"] == "GT"
    assert by_address["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    assert by_address["Statement"]["RateBasedStatement"]["Limit"] == {"Ref": "WafRequestsPerAddress"}


def test_it_stands_before_every_api() -> None:
    associations = resources("AWS::WAFv2::WebACLAssociation").values()
    guarded = {name for one in associations for name in references(one["Properties"]["ResourceArn"])} & set(APIS)
    assert guarded == set(APIS)


@pytest.mark.req("L04")
def test_neither_its_log_nor_its_samples_hold_a_path_or_a_credential() -> None:
    (logging,) = resources("AWS::WAFv2::LoggingConfiguration").values()
    redacted = logging["Properties"]["RedactedFields"]
    assert {"UriPath": {}} in redacted
    assert {"QueryString": {}} in redacted
    assert {one["SingleHeader"]["Name"] for one in redacted if "SingleHeader" in one} == {
        "authorization",
        "cookie",
        "x-apisecret",
        "x-apitoken",
    }
    # samples are kept for hours and cannot be redacted by this
    (acl,) = resources("AWS::WAFv2::WebACL").values()
    visibility = [acl["Properties"], *acl["Properties"]["Rules"]]
    assert all(one["VisibilityConfig"]["SampledRequestsEnabled"] is False for one in visibility)


def test_no_address_of_ours_is_written_down_anywhere_else() -> None:
    hosts = [
        text for text in scalars(template()["Resources"]) if isinstance(text, str) and "vestibule.localhost" in text
    ]
    assert hosts == []
