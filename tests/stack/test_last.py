"""What the whole session has left behind: no secret anywhere, and no right that nobody used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support import rights
from tests.support.template import DONE_BY_LAMBDA, references, resources

if TYPE_CHECKING:
    from tests.support.portal import HandedOut, Portal
    from tests.support.proxy import AwsProxy
    from tests.support.rights import Rights
    from tests.support.tables import Tables
    from tools.local import Stack

pytestmark = pytest.mark.last

NEW_RING = "{}"


def function_logs(stack: Stack) -> str:
    """Give everything that the functions have logged."""
    logs = stack.client("logs")
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    ]
    return "\n".join(
        event["message"]
        for group in groups
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for event in page["events"]
    )


@pytest.mark.req("L04")
def test_no_secret_that_was_handed_out_is_written_down_anywhere(
    portal: Portal, stack: Stack, tables: Tables, handed_out: HandedOut
) -> None:
    # given: at the very least one of each kind
    portal.is_signed_in(portal.sign_in())
    portal.bearer().get("/v1/users")
    kinds = {kind for _, kind in handed_out}
    assert {"client secret", "access token", "login guid", "sign-in secret", "form token"} <= kinds

    # when
    places = {
        "tables": json.dumps(tables.dump(), default=str),
        "logs of the functions": function_logs(stack),
        "log of the emulator": stack.emulator_log.read_text(errors="replace"),
    }

    # then: the places are the right ones, and none holds a secret
    assert portal.account_id in places["tables"]
    assert "signed in" in places["logs of the functions"]
    assert places["log of the emulator"]
    found = [(kind, place) for secret, kind in handed_out for place, text in places.items() if secret in text]
    assert found == []


def granted() -> dict[str, set[str]]:
    """Give the actions that the template grants to each function, such as `dynamodb:GetItem`."""
    found: dict[str, set[str]] = {}
    for logical_id, function in resources("AWS::Serverless::Function").items():
        for policy in function["Properties"].get("Policies", []):
            for statement in policy["Statement"]:
                actions = statement["Action"]
                if "NotResource" in statement:
                    found.setdefault(logical_id, set()).add(actions)
                    continue
                found.setdefault(logical_id, set()).update([actions] if isinstance(actions, str) else actions)
                assert references(statement["Resource"])
    return {logical_id: actions - DONE_BY_LAMBDA.get(logical_id, frozenset()) for logical_id, actions in found.items()}


@pytest.mark.req("R03")
def test_a_rotation_that_finds_no_key_makes_one(stack: Stack) -> None:
    # given: an empty secret, as at the first deployment (restored at once)
    secrets = stack.client("secretsmanager")
    name = stack.outputs["SigningKeysSecret"]
    kept = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString=NEW_RING)
    try:
        # when
        stack.client("lambda").invoke(FunctionName=stack.function_name("KeyRotationFunction"), Payload=b"{}")

        # then
        assert secrets.get_secret_value(SecretId=name)["SecretString"] not in {kept, NEW_RING}
    finally:
        secrets.put_secret_value(SecretId=name, SecretString=kept)
        stack.client("lambda").invoke(FunctionName=stack.function_name("KeyRotationFunction"), Payload=b"{}")


@pytest.mark.req("R03")
def test_what_the_functions_ask_for_is_what_their_policies_grant(request: pytest.FixtureRequest) -> None:
    """Judges all tests that need a stack: those of this session, or those of the sessions that are named to it."""
    asked = rights.noted(request.config)
    if asked is None:
        folders = {item.path.parent.name for item in request.session.items}
        if not {"stack", "contract", "browser"} <= folders:
            pytest.skip("judges a whole session: make test")
        aws: AwsProxy = request.getfixturevalue("aws")
        asked = rights.asked_for(aws.calls)

    # then, both ways
    may = granted()
    assert _beyond(asked, may) == {}, "asked for, and not granted"
    assert _beyond(may, asked) == {}, "granted, and never asked for"


def _beyond(these: Rights, those: Rights) -> Rights:
    """Give the rights that are among these and not among those."""
    further = {name: rights - those.get(name, set()) for name, rights in these.items()}
    return {name: rights for name, rights in further.items() if rights}
