"""Every function of the template: a folder, a log, a policy and a front door, each of its own."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.template import DONE_BY_LAMBDA, NO_VALUE, references, resources, scalars, template
from tools.local.paths import ROOT
from vestibule.clock import SECOND
from vestibule.settings import Settings
from vestibule.store.outbox import REMEMBERED_FOR
from vestibule.workers.mailer import FIRST_WAIT, LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FUNCTIONS = resources("AWS::Serverless::Function")
APIS = resources("AWS::Serverless::Api")
TABLES = resources("AWS::DynamoDB::Table")
LONGEST_APP = 36, 6  # lines, and lines a route: a call into the layer each, nothing else worth reading

# What a function may ever be allowed, by the kind of thing that it is allowed on.
ALLOWED = {
    "DirectoryTable": {
        "GetItem",
        "BatchGetItem",
        "Query",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "ConditionCheckItem",
    },
    "PassesTable": {"GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"},
    "JournalTable": {"PutItem", "Query", "BatchGetItem"},  # nothing is ever changed or deleted
    "SigningKeysSecret": {"GetSecretValue", "PutSecretValue"},
    "MasterKeySecret": {"GetSecretValue"},
    "OutboxQueue": {"SendMessage", "ChangeMessageVisibility"},
    "DeadLetterQueue": {"SendMessage"},
    "MailIdentity": {"SendRawEmail"},
    "MailConfigurationSet": {"SendRawEmail"},
}
NO_TOPIC = {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}
ENTRANCES = {"JoinFunction", "PersonalFunction", "SessionPageFunction", "EmbedPageFunction"}
SIGNERS = {"AccessTokenFunction", "EmbedCreateFunction", "SequelFunction", *ENTRANCES}
ROTATION = {"KeyRotationFunction"}
# Links, passkeys, connect codes, application secrets.
DERIVING = {"PlanFunction", "SessionCreateFunction", "SessionsFunction", "ParticipantsFunction", "MailerFunction"} | {
    "AppSecretsFunction",
    "OnSyncFunction",
    "RegistrantCreateFunction",
    "RegistrantsFunction",
    "RoomDoorFunction",
    "WaitingRoomsFunction",
    "SecureVideoFunction",
    "SequelFunction",
}
PROVING = ENTRANCES  # the same
# Whom wrong passwords, registrations and requests are counted for.
MARKING = {"SignInFunction", "RegistrationFunction", "MailedLinksFunction"}
SEALING = {"AccountFunction"}  # secrets of stages
WORKERS = {"RouterFunction", "MailerFunction", "MailReportsFunction"}
WITHOUT_AN_API = {"AuthorizerFunction", "KeyRotationFunction", *WORKERS}


def folder_of(function: Mapping[str, Any]) -> str:
    """Return the name of a function's folder."""
    return str(function["Properties"]["CodeUri"]).removeprefix("functions/")


def statements(function: Mapping[str, Any]) -> Iterator[tuple[set[str], list[Any]]]:
    """Yield the actions and the resources of each statement of a function's policy that is about things by name."""
    for policy in function["Properties"].get("Policies", []):
        for statement in policy["Statement"]:
            if "NotResource" in statement:
                continue
            actions, on = statement["Action"], statement["Resource"]
            yield set([actions] if isinstance(actions, str) else actions), [on] if isinstance(on, dict) else on


def allowed_on(name: str) -> dict[str, set[str]]:
    """Return which functions may do what on a resource."""
    found: dict[str, set[str]] = {}
    for logical_id, function in FUNCTIONS.items():
        for actions, on in statements(function):
            if name in references(on):
                found.setdefault(logical_id, set()).update(action.partition(":")[2] for action in actions)
    return found


def events() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each function's events with their type and properties."""
    for logical_id, function in FUNCTIONS.items():
        for event in function["Properties"].get("Events", {}).values():
            yield logical_id, event["Type"], event["Properties"]


# --- folders ---


def test_every_folder_is_in_the_template_and_every_function_has_a_folder() -> None:
    declared = [folder_of(function) for function in FUNCTIONS.values()]
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert len(declared) == len(set(declared))
    assert set(declared) == folders
    assert {path.name for path in (ROOT / "functions").iterdir() if path.is_dir()} - {"__pycache__"} == folders


@pytest.mark.parametrize("folder", sorted(folder_of(function) for function in FUNCTIONS.values()))
def test_a_functions_file_is_thin(folder: str) -> None:
    # given
    files = [path for path in (ROOT / "functions" / folder).rglob("*") if path.suffix != ".pyc" and path.is_file()]
    assert [path.name for path in files] == ["app.py"]
    source = files[0].read_text()
    tree = ast.parse(source)
    # then: a name for Lambda, and no rule of its own
    frame, each = LONGEST_APP
    documentation = [ast.get_docstring(node, clean=False) for node in tree.body if isinstance(node, ast.FunctionDef)]
    code = len(source.splitlines()) - sum(len(text.splitlines()) for text in documentation if text)
    assert code <= frame + each * source.count("\n@api.route(")
    assert ast.get_docstring(tree)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert "handler" in names | defined
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try | ast.ClassDef | ast.While | ast.For)]
    # and nothing of AWS or of the tables
    imported = {
        name.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert not {module for module in imported if re.match(r"boto|os$|json$|vestibule\.store", module)}


def test_every_function_runs_alike() -> None:
    shared = template()["Globals"]["Function"]
    assert shared["Runtime"] == "python3.13"
    assert shared["Handler"] == "app.handler"
    assert shared["Timeout"] == 10
    assert shared["Architectures"] == [{"Ref": "Architecture"}]
    assert shared["Layers"] == [{"Ref": "VestibuleLayer"}, {"Ref": "DependenciesLayer"}]
    for function in FUNCTIONS.values():
        assert function["Properties"]["Description"]
        assert not {"Timeout", "Runtime", "Architectures", "Layers", "Handler", "Tracing", "InlineCode"} & set(
            function["Properties"]
        )
    assert "Tracing" not in shared


def test_the_environment_is_what_the_settings_read() -> None:
    # given
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    asked: set[str] = set()

    class Watched(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.add(name)
            return default

    Settings.from_environment(Watched())
    # then
    # others than ours: the log's, and the SDK's for a developer's own machine, which no deployment sets
    assert asked | {"POWERTOOLS_LOG_LEVEL", "AWS_ENDPOINT_URL"} == set(variables)
    assert variables["AWS_ENDPOINT_URL"] == NO_VALUE
    assert variables["API_ORIGIN"]["Fn::If"][2] == {"Fn::Sub": "https://api.${DomainName}"}
    assert variables["HUB_ORIGIN"]["Fn::If"][2] == {"Fn::Sub": "https://{slug}.hub.${DomainName}"}
    # names and addresses: no value of a secret
    assert not [text for text in scalars(template()) if isinstance(text, str) and "{{resolve:" in text]


# --- logs ---


def test_every_function_has_a_log_group_of_its_own_with_retention() -> None:
    groups = []
    for logical_id, function in FUNCTIONS.items():
        group = function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        groups.append(group)
        assert group == logical_id.replace("Function", "LogGroup")
        properties = resources("AWS::Logs::LogGroup")[group]["Properties"]
        assert properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert properties["LogGroupName"] == {"Fn::Sub": f"/vestibule/${{AWS::StackName}}/{folder_of(function)}"}
    assert len(groups) == len(set(groups))


def test_every_log_group_has_retention_and_goes_with_the_stack() -> None:
    for group in resources("AWS::Logs::LogGroup").values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert group["DeletionPolicy"] == group["UpdateReplacePolicy"] == "Delete"


# --- policies ---


@pytest.mark.parametrize("logical_id", FUNCTIONS)
@pytest.mark.req("R03")
def test_a_policy_names_single_actions_on_single_things(logical_id: str) -> None:
    properties = FUNCTIONS[logical_id]["Properties"]
    assert not {"Role", "Connectors", "PermissionsBoundary", "VpcConfig"} & set(properties)
    for policy in properties.get("Policies", []):
        assert isinstance(policy, dict), "inline, neither a managed policy nor one of SAM's templates"
        assert set(policy) == {"Version", "Statement"}
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            if statement["Action"] == "sns:Publish":
                # Telephone numbers have no ARN.
                assert statement == {"Effect": "Allow", "Action": "sns:Publish", "NotResource": NO_TOPIC}
                assert logical_id == "MailerFunction"
            else:
                assert set(statement) == {"Effect", "Action", "Resource"}
    for actions, on in statements(FUNCTIONS[logical_id]):
        if actions <= DONE_BY_LAMBDA.get(logical_id, frozenset()):
            continue
        for resource in on:
            (name,) = {name for name in references(resource) if not name.startswith("AWS::")}
            assert {action.partition(":")[2] for action in actions} <= ALLOWED[name], (logical_id, name)
            assert _is_one_arn(resource, name)
    stars = [text for text in scalars(properties.get("Policies", [])) if "*" in str(text)]
    assert set(stars) <= ({NO_TOPIC["Fn::Sub"]} if logical_id == "MailerFunction" else set()) | (
        {"${DirectoryTable.Arn}/stream/*"} if logical_id == "RouterFunction" else set()
    )


@pytest.mark.req("R03")
def test_what_lambda_does_for_a_worker_is_granted_on_its_own_source() -> None:
    on = {
        logical_id: {
            (action, str(resource))
            for actions, on in statements(FUNCTIONS[logical_id])
            for action in actions & done
            for resource in on
        }
        for logical_id, done in DONE_BY_LAMBDA.items()
    }
    stream = str({"Fn::GetAtt": ["DirectoryTable", "StreamArn"]})
    reading = ("DescribeStream", "GetRecords", "GetShardIterator")
    assert on["RouterFunction"] == {
        *((f"dynamodb:{action}", stream) for action in reading),
        ("dynamodb:ListStreams", str({"Fn::Sub": "${DirectoryTable.Arn}/stream/*"})),
    }
    queue = str({"Fn::GetAtt": ["OutboxQueue", "Arn"]})
    assert on["MailerFunction"] == {(action, queue) for action in DONE_BY_LAMBDA["MailerFunction"]}
    assert on["MailReportsFunction"] == {("sqs:SendMessage", str({"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}))}


def _is_one_arn(resource: dict[str, Any], name: str) -> bool:
    indexes = [
        index["IndexName"] for index in TABLES.get(name, {}).get("Properties", {}).get("GlobalSecondaryIndexes", [])
    ]
    return resource in (
        {"Fn::GetAtt": [name, "Arn"]},
        {"Fn::GetAtt": [name, "Id"]},  # a secret's Id is its ARN
        *({"Fn::Sub": f"${{{name}.Arn}}/index/{index}"} for index in indexes),
        *(
            {"Fn::Sub": f"arn:${{AWS::Partition}}:ses:${{AWS::Region}}:${{AWS::AccountId}}:{kind}/${{{name}}}"}
            for kind in ("identity", "configuration-set")
        ),
    )


def test_mail_is_sent_by_the_right_that_a_whole_message_needs() -> None:
    # SES judges SendEmail as SendRawEmail when its content is raw, which vestibule.store.carriers sends.
    rights = [
        statement["Action"]
        for function in FUNCTIONS.values()
        for policy in function["Properties"].get("Policies", [])
        for statement in policy["Statement"]
        if "ses:" in str(statement["Action"])
    ]
    assert rights == ["ses:SendRawEmail"]


@pytest.mark.req("R03")
def test_the_journal_is_append_only() -> None:
    assert allowed_on("JournalTable")
    reading = {"Query", "BatchGetItem"}
    assert all(actions == {"PutItem"} or actions <= reading for actions in allowed_on("JournalTable").values())
    assert {name for name, actions in allowed_on("JournalTable").items() if actions <= reading} == {
        "AttendanceFunction",
        "SequelFunction",
        "WaitingRoomsFunction",  # who is in the sessions that a host has on their dashboard
    }


@pytest.mark.req("R03")
def test_the_private_keys_are_read_by_signers_and_the_rotation_alone() -> None:
    may = allowed_on("SigningKeysSecret")
    assert set(may) == SIGNERS | ROTATION
    assert {name for name, actions in may.items() if "PutSecretValue" in actions} == ROTATION


@pytest.mark.req("R03", "L04")
def test_the_master_key_is_read_by_those_who_derive_seal_or_count_guesses_alone() -> None:
    users = DERIVING | PROVING | SEALING | MARKING
    assert allowed_on("MasterKeySecret") == {name: {"GetSecretValue"} for name in users}


@pytest.mark.req("R03")
def test_who_meets_browsers_can_change_no_directory() -> None:
    hub = {
        name for name, kind, properties in events() if kind == "Api" and properties["RestApiId"] == {"Ref": "HubApi"}
    }
    reading = {"GetItem", "BatchGetItem", "Query"}
    also = {
        "SignInFunction": {"UpdateItem"},  # renews the hash of the password that was just right
        "PlanFunction": {"PutItem", "UpdateItem", "DeleteItem"},  # sessions that their hosts plan by themselves
        "RegistrationFunction": {"PutItem", "UpdateItem"},  # a registrant, and a limited place
        "MailedLinksFunction": {"PutItem"},  # what is asked for by mail, and a user with a new password
        "WaitingRoomsFunction": {"PutItem"},  # the session of whoever is let in
    }
    assert hub
    for name, actions in allowed_on("DirectoryTable").items():
        assert name not in hub or actions <= reading | also.get(name, set())


@pytest.mark.req("R03")
def test_no_function_may_what_its_code_never_asks_for() -> None:
    # The other way round, call by call, is shown on the stack; here only that no policy outgrows its function.
    assert allowed_on("PassesTable").keys() == {
        "LoginUriIssueFunction",
        "LoginUriStateFunction",
        "LoginUriRevokeFunction",
        "RedeemFunction",
        "LogoutFunction",
        "DashboardFunction",
        "PlanFunction",
        "SignInFunction",
        "MailedLinksFunction",
        "SecureVideoFunction",
        "OnSyncFunction",
        "SsoFunction",
        "VseeFunction",
        "SequelFunction",
        *ENTRANCES,
        "SeatFunction",
        "RegistrationFunction",
        "RoomDoorFunction",
        "WaitingRoomsFunction",
        "RegistrantCreateFunction",
        "AttendanceFunction",  # who waits in a session's room
        "UsersFunction",
        "RoomsFunction",
        "SessionCreateFunction",
        "SessionsFunction",
        "ParticipantsFunction",
        "MailerFunction",
    }
    assert allowed_on("PassesTable")["RedeemFunction"] == {"UpdateItem"}
    assert allowed_on("PassesTable")["LoginUriIssueFunction"] == {"PutItem"}
    assert allowed_on("DirectoryTable")["AuthorizerFunction"] == {"GetItem"}
    assert "Policies" not in FUNCTIONS["StaticFunction"]["Properties"]


# --- front doors ---


def test_every_function_is_reached_through_a_throttled_api_or_by_us() -> None:
    reached = {name for name, kind, _ in events() if kind == "Api"}
    assert set(FUNCTIONS) - reached == WITHOUT_AN_API
    assert {kind for _, kind, _ in events()} == {"Api", "ScheduleV2"}
    assert {name for name, kind, _ in events() if kind == "ScheduleV2"} == ROTATION
    for _, kind, properties in events():
        if kind == "Api":  # no API of its own that SAM would make up, without any of our settings
            assert properties["RestApiId"]["Ref"] in APIS
    assert not [function for function in FUNCTIONS.values() if "FunctionUrlConfig" in function["Properties"]]


@pytest.mark.req("L05")
def test_methods_are_named_one_by_one() -> None:
    routes = [(p["RestApiId"]["Ref"], p["Path"], p["Method"]) for _, kind, p in events() if kind == "Api"]
    assert len(routes) == len(set(routes))
    assert {method for _, _, method in routes} <= {"get", "head", "post", "put", "patch", "delete", "options"}
    # only pages of portals ask before they call
    assert {api for api, _, method in routes if method == "options"} == {"SequelApi"}
    hub = {(path, method) for api, path, method in routes if api == "HubApi"}
    # every page answers a HEAD; asking for a state is for scripts alone
    states = {"/sign-in/state", "/s/{session_id}/state", "/dashboard/presence"}
    gets = {path for path, method in hub if method == "get"} - states
    assert gets == {path for path, method in hub if method == "head"}


def test_a_browser_posts_only_where_a_form_of_ours_leads() -> None:
    posts = {
        p["Path"]
        for _, kind, p in events()
        if kind == "Api" and p["RestApiId"]["Ref"] == "HubApi" and p["Method"] == "post"
    }
    forms = {"/logout", "/sign-in", "/join/{code}", "/p/{token}", "/r/{token}", "/s/{session_id}"}
    forms.add("/s/{session_id}/register")
    rooms = {"/u/{slug}", "/dashboard/rooms", "/u/{slug}/state", "/s/{session_id}/waiting"}
    planning = {"/plan", "/plan/{session_id}/{step}", "/plan/{session_id}/participants/{participant_id}/{step}"}
    scripts = {"/embed/{session_id}", "/seat", "/seat/leave"}
    mailed = {"/sign-in/link", "/sign-in/link/{token}", "/sign-in/password", "/sign-in/password/{token}"}
    assert posts == forms | rooms | planning | mailed | scripts


def test_siblings_have_one_variable_name() -> None:
    # API Gateway refuses two names at one place of a path.
    names: dict[tuple[str, str], set[str]] = {}
    for _, kind, properties in events():
        if kind != "Api":
            continue
        segments = properties["Path"].split("/")
        for index, segment in enumerate(segments):
            if segment.startswith("{") and not segment.endswith("+}"):
                place = (properties["RestApiId"]["Ref"], "/".join(segments[:index]))
                names.setdefault(place, set()).add(segment)
    assert names
    assert not {place: found for place, found in names.items() if len(found) > 1}


def test_what_is_open_to_everybody_is_named() -> None:
    without = {
        properties["Path"]
        for _, kind, properties in events()
        if kind == "Api" and properties["RestApiId"] == {"Ref": "NativeApi"} and "Auth" in properties
    }
    assert without == {"/v1/oauth/token", "/.well-known/jwks.json"}
    assert all(
        properties["Auth"] == {"Authorizer": "NONE"}
        for _, kind, properties in events()
        if kind == "Api" and "Auth" in properties
    )


# --- the schedule ---


@pytest.mark.req("R03")
def test_the_rotation_runs_often_enough_by_a_role_of_its_own() -> None:
    ((_, _, schedule),) = [event for event in events() if event[1] == "ScheduleV2"]
    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 10}
    # SAM would give it a name that a second stack of the same account and region could not have
    assert schedule["OmitName"] is True
    # SAM makes a role that may invoke this function alone, unless one is named
    assert not {"RoleArn", "PermissionsBoundary", "State", "EndDate"} & set(schedule)


# --- workers ---


@pytest.mark.req("R02", "R03")
def test_a_worker_hears_of_its_own_source_alone_and_nothing_is_lost() -> None:
    mappings = {
        mapping["Properties"]["FunctionName"]["Ref"]: mapping["Properties"]
        for mapping in resources("AWS::Lambda::EventSourceMapping").values()
    }
    assert set(mappings) | {"MailReportsFunction"} == WORKERS
    stream = mappings["RouterFunction"]
    assert stream["EventSourceArn"] == {"Fn::GetAtt": ["DirectoryTable", "StreamArn"]}
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["MaximumRetryAttempts"] > 0
    assert 0 < stream["MaximumRecordAgeInSeconds"] < 24 * 3_600
    dead_letters = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert stream["DestinationConfig"] == {"OnFailure": {"Destination": dead_letters}}
    (pattern,) = [json.loads(one["Pattern"]) for one in stream["FilterCriteria"]["Filters"]]
    event_id = {"event": {"M": {"event_id": {"S": [{"exists": True}]}}}}
    # Of a record of DynamoDB Lambda promises to filter by this key alone; a removal has no new image anyway.
    assert pattern == {"dynamodb": {"NewImage": event_id}}
    queue = mappings["MailerFunction"]
    assert queue["EventSourceArn"] == {"Fn::GetAtt": ["OutboxQueue", "Arn"]}
    assert queue["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "MailConcurrency"}}
    (permission,) = [one["Properties"] for one in resources("AWS::Lambda::Permission").values()]
    assert permission["FunctionName"] == {"Ref": "MailReportsFunction"}
    assert permission["SourceArn"] == {"Ref": "MailReportsTopic"}


@pytest.mark.req("R02")
def test_a_message_waits_longer_than_its_worker_runs_and_ends_where_somebody_looks() -> None:
    queues = {name: one["Properties"] for name, one in resources("AWS::SQS::Queue").items()}
    assert set(queues) == {"OutboxQueue", "DeadLetterQueue"}
    outbox = queues["OutboxQueue"]
    assert outbox["VisibilityTimeout"] == 6 * template()["Globals"]["Function"]["Timeout"]
    redrive = outbox["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    waits = [min(LONGEST_WAIT, FIRST_WAIT * 2**attempt) for attempt in range(redrive["maxReceiveCount"] - 1)]
    assert 3_600 < sum(waits) < outbox["MessageRetentionPeriod"]
    # What was done is remembered for longer than any message of it can lie around.
    kept = outbox["MessageRetentionPeriod"] + queues["DeadLetterQueue"]["MessageRetentionPeriod"]
    assert kept * SECOND < REMEMBERED_FOR
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())


def test_a_fresh_deployment_gets_its_keys_from_the_rotation() -> None:
    (custom,) = resources("Custom::SigningKeys").values()
    assert custom["Properties"]["ServiceToken"] == {"Fn::GetAtt": ["KeyRotationFunction", "Arn"]}
    assert custom["Properties"]["Secret"] == {"Fn::GetAtt": ["SigningKeysSecret", "Id"]}
    assert 10 < custom["Properties"]["ServiceTimeout"] <= 120, "a lost answer must not hold the stack for an hour"
