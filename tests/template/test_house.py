"""The rest of the template: tables, secrets, layers, alarms, parameters, outputs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.template import references, resources, scalars, template

FUNCTIONS = resources("AWS::Serverless::Function")
TABLES = resources("AWS::DynamoDB::Table")
ALARMS = resources("AWS::CloudWatch::Alarm")
METRICS_IN_ONE_ALARM = 10  # CloudWatch's limit
RESOURCES_IN_ONE_STACK = 500  # CloudFormation's limit
IF_PROTECTED = {"Fn::If": ["IsProtected", True, False]}


# --- tables ---


def test_there_are_three_tables() -> None:
    assert set(TABLES) == {"DirectoryTable", "PassesTable", "JournalTable"}
    for table in TABLES.values():
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
        assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True}
        assert "TableName" not in table["Properties"], "a name of its own could not be replaced"


@pytest.mark.parametrize("name", ["DirectoryTable", "JournalTable"])
def test_what_lasts_is_protected_and_can_be_brought_back(name: str) -> None:
    table = TABLES[name]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": IF_PROTECTED}
    assert table["Properties"]["DeletionProtectionEnabled"] == IF_PROTECTED
    assert "TimeToLiveSpecification" not in table["Properties"]


def test_protection_is_on_unless_somebody_turns_it_off() -> None:
    assert template()["Parameters"]["Protection"]["Default"] == "on"
    assert template()["Conditions"]["IsProtected"] == {"Fn::Equals": [{"Ref": "Protection"}, "on"]}


def test_what_is_born_to_die_goes_by_itself_and_is_in_no_backup() -> None:
    table = TABLES["PassesTable"]
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert "PointInTimeRecoverySpecification" not in table["Properties"]
    assert "StreamSpecification" not in table["Properties"]
    assert table["DeletionPolicy"] == "Delete"


def test_indexes_hold_keys_alone() -> None:
    indexes = TABLES["DirectoryTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert {index["IndexName"] for index in indexes} == {"listed", "found"}
    assert all(index["Projection"] == {"ProjectionType": "KEYS_ONLY"} for index in indexes)
    assert "GlobalSecondaryIndexes" not in TABLES["PassesTable"]["Properties"]
    (present,) = TABLES["JournalTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert (present["IndexName"], present["Projection"]) == ("present", {"ProjectionType": "KEYS_ONLY"})


def test_the_directory_has_a_stream_for_the_outbox() -> None:
    assert TABLES["DirectoryTable"]["Properties"]["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_no_deployment_writes_a_key_into_a_secret() -> None:
    secrets = resources("AWS::SecretsManager::Secret")
    assert secrets.keys() == {"SigningKeysSecret", "MasterKeySecret"}
    assert secrets["SigningKeysSecret"]["Properties"]["SecretString"] == "{}"
    assert "GenerateSecretString" not in secrets["SigningKeysSecret"]["Properties"]
    # Made once by AWS itself, outlives the stack, and long enough to derive keys from.
    master = secrets["MasterKeySecret"]
    assert "SecretString" not in master["Properties"]
    assert master["Properties"]["GenerateSecretString"]["PasswordLength"] >= 43
    assert master["DeletionPolicy"] == master["UpdateReplacePolicy"] == "Retain"


# --- layers ---


def test_layers_are_built_for_the_functions_processor() -> None:
    parameter = template()["Parameters"]["Architecture"]
    assert parameter["Default"] == "arm64"
    assert parameter["AllowedValues"] == ["arm64", "x86_64"]
    layers = resources("AWS::Serverless::LayerVersion")
    assert {layer["Properties"]["ContentUri"] for layer in layers.values()} == {
        "layers/vestibule",
        "layers/dependencies",
    }
    for layer in layers.values():
        assert layer["Metadata"] == {"BuildMethod": "python3.13", "BuildArchitecture": {"Ref": "Architecture"}}
        assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"]
    # the one with machine code says for which
    assert layers["DependenciesLayer"]["Properties"]["CompatibleArchitectures"] == [{"Ref": "Architecture"}]


# --- alarms ---


def watched(metric: str) -> set[tuple[str, str, Any]]:
    """Return the dimensions that some alarm watches of a metric: (alarm, dimension, value)."""
    return {
        (alarm, dimension["Name"], _named(dimension["Value"]))
        for alarm, resource in ALARMS.items()
        for one in resource["Properties"]["Metrics"]
        if "MetricStat" in one and one["MetricStat"]["Metric"]["MetricName"] == metric
        for dimension in one["MetricStat"]["Metric"]["Dimensions"]
        if isinstance(dimension["Value"], dict)
    }


def _named(value: dict[str, Any]) -> str:
    ((kind, name),) = value.items()
    return str(name[0] if kind == "Fn::GetAtt" else name)


def test_an_alarm_watches_every_functions_throttles() -> None:
    assert {value for _, name, value in watched("Throttles") if name == "FunctionName"} == set(FUNCTIONS)


def test_an_alarm_watches_every_functions_errors_but_the_authorizers() -> None:
    # That one refuses bad credentials by an error: anybody could raise the alarm. What fails there is a 5xx.
    functions = {value for _, name, value in watched("Errors") if name == "FunctionName"}
    assert functions | {"AuthorizerFunction"} == set(FUNCTIONS)


def test_an_alarm_watches_every_doors_5xx_and_none_its_4xx() -> None:
    names = {api["Properties"]["Name"]["Fn::Sub"] for api in resources("AWS::Serverless::Api").values()}
    assert {value for _, name, value in watched("5XXError") if name == "ApiName"} == names
    assert not [text for text in scalars(ALARMS) if "4XX" in str(text)], "a used link is a 4xx"


def test_an_alarm_watches_every_table() -> None:
    for metric in ("ReadThrottleEvents", "WriteThrottleEvents", "SystemErrors"):
        assert {value for _, name, value in watched(metric) if name == "TableName"} == set(TABLES)


def test_an_alarm_watches_every_index() -> None:
    # a metric of the table alone leaves its indexes' throttles out
    indexes = {
        (name, index["IndexName"])
        for name, table in TABLES.items()
        for index in table["Properties"].get("GlobalSecondaryIndexes", [])
    }
    for metric in ("ReadThrottleEvents", "WriteThrottleEvents"):
        dimensions = [
            {dimension["Name"]: dimension["Value"] for dimension in one["MetricStat"]["Metric"]["Dimensions"]}
            for alarm in ALARMS.values()
            for one in alarm["Properties"]["Metrics"]
            if "MetricStat" in one and one["MetricStat"]["Metric"]["MetricName"] == metric
        ]
        watched_indexes = {
            (one["TableName"]["Ref"], one["GlobalSecondaryIndexName"])
            for one in dimensions
            if "GlobalSecondaryIndexName" in one
        }
        assert watched_indexes == indexes
        tables_alone = {one["TableName"]["Ref"] for one in dimensions if "GlobalSecondaryIndexName" not in one}
        assert tables_alone == set(TABLES)


@pytest.mark.req("R02")
def test_an_alarm_watches_whatever_waits() -> None:
    queues = {value for _, _, value in watched("ApproximateNumberOfMessagesVisible")}
    assert queues == {"DeadLetterQueue"}
    assert {value for _, _, value in watched("ApproximateAgeOfOldestMessage")} == {"OutboxQueue"}
    assert {value for _, _, value in watched("IteratorAge")} == {"RouterFunction"}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_adds_up_what_it_names_and_tells_somebody(name: str) -> None:
    alarm = ALARMS[name]
    properties = alarm["Properties"]
    assert alarm["Condition"] == "HasAlarms"
    assert properties["AlarmDescription"]
    assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": "AlarmTopic"}]
    assert properties["TreatMissingData"] == "notBreaching"
    sums = [one for one in properties["Metrics"] if "Expression" in one]
    parts = [one for one in properties["Metrics"] if "MetricStat" in one]
    (total,) = sums
    assert set(re.findall(r"\bm\d+\b", total["Expression"])) == {one["Id"] for one in parts}
    assert all(one["ReturnData"] is False for one in parts)
    assert len(parts) <= METRICS_IN_ONE_ALARM
    assert len({str(one["MetricStat"]["Metric"]) for one in parts}) == len(parts)


def test_alarms_are_mailed_to_whom_the_operator_names() -> None:
    subscription = resources("AWS::SNS::Subscription")["AlarmSubscription"]
    assert subscription["Properties"]["Endpoint"] == {"Ref": "AlarmEmail"}
    assert subscription["Condition"] == "HasAlarmEmail"
    assert template()["Parameters"]["EnableAlarms"]["Default"] == "true"


def test_no_topic_has_a_key_that_who_publishes_there_may_not_use() -> None:
    # AWS's own key for SNS lets neither CloudWatch nor SES in, and its policy cannot be changed.
    topics = resources("AWS::SNS::Topic")
    assert topics.keys() == {"AlarmTopic", "MailReportsTopic"}
    assert not [name for name, topic in topics.items() if "KmsMasterKeyId" in topic.get("Properties", {})]


# --- the role that access logs are written with ---


def test_the_one_role_of_ours_serves_api_gateway_alone() -> None:
    (role,) = resources("AWS::IAM::Role").values()
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert "Policies" not in role["Properties"]
    (policy,) = role["Properties"]["ManagedPolicyArns"]
    assert policy["Fn::Sub"].endswith("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
    (account,) = resources("AWS::ApiGateway::Account").values()
    assert account["DeletionPolicy"] == "Retain", "other APIs of the region may rely on it"
    # an account's setting that names a role which is gone writes no log of any API
    assert role["DeletionPolicy"] == role["UpdateReplacePolicy"] == "Retain"


# --- the whole ---


def test_every_parameter_has_a_use_and_a_word() -> None:
    whole = template()
    used = references({name: part for name, part in whole.items() if name != "Parameters"})
    for name, parameter in whole["Parameters"].items():
        assert name in used
        assert parameter.get("Description") or "AllowedValues" in parameter
    assert "Default" not in whole["Parameters"]["DomainName"], "nobody deploys to a domain by oversight"


def test_every_condition_has_a_use() -> None:
    whole = template()
    used = {one.get("Condition") for one in whole["Resources"].values()}

    def named(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["Fn::If"][0]} if "Fn::If" in value else set()
            own |= {value["Condition"]} if isinstance(value.get("Condition"), str) else set()
            return own.union(*map(named, value.values()))
        return set().union(*map(named, value)) if isinstance(value, list) else set()

    assert set(whole["Conditions"]) <= used | named(whole)


def test_what_refers_to_something_conditional_is_so_itself() -> None:
    # CloudFormation refuses the others only once the condition is false: with the first production deployment.
    whole = template()["Resources"]
    for name, resource in whole.items():
        for other in references(_without_conditional_parts(resource.get("Properties", {}))) & set(whole):
            if "Condition" in whole[other]:
                assert "Condition" in resource, (name, other)


def _without_conditional_parts(value: Any) -> Any:
    if isinstance(value, dict):
        if "Fn::If" in value:
            return []
        return {name: _without_conditional_parts(inner) for name, inner in value.items()}
    return [_without_conditional_parts(inner) for inner in value] if isinstance(value, list) else value


def test_everything_that_keeps_data_says_what_becomes_of_it() -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"):
        for name, resource in resources(kind).items():
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"], name


def test_outputs_name_what_tools_need_and_no_secret() -> None:
    outputs = template()["Outputs"]
    needed = {"ApiUrl", "HubOrigin", "HubApiId", "HubStage", "NativeApiId", "SigningKeysSecret", *TABLES}
    assert needed <= set(outputs)
    assert outputs["SigningKeysSecret"]["Value"] == {"Fn::GetAtt": ["SigningKeysSecret", "Id"]}


def test_the_stack_stays_well_below_cloudformations_limit() -> None:
    # Of each function SAM makes two (function, role), of each route a permission, of each API a stage and a deployment.
    routes = sum(len(function["Properties"].get("Events", {})) for function in FUNCTIONS.values())
    apis = len(resources("AWS::Serverless::Api"))
    assert len(template()["Resources"]) + len(FUNCTIONS) + routes + 2 * apis < 0.85 * RESOURCES_IN_ONE_STACK
