"""The house with the accounts that `events/` speak of, on moto: what a flow calls, and what it is answered.

The invariant: calls and answers are those of the product's own functions and stores over tables as the template
defines them. They are counted here, and replayed to the built functions by `bench.warm`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from moto import mock_aws

from bench import runtime
from tests.support.house import Wire
from tests.support.template import resources
from tools.local import aws, paths, samples
from vestibule import wiring
from vestibule.http import logs
from vestibule.settings import Settings
from vestibule.store.aws import dynamodb_client, secrets_manager_client
from vestibule.wiring import House

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from bench.flows import Flow

CONTEXT = SimpleNamespace(aws_request_id="0b5e8f0a-7f0e-4e0e-9c1e-000000000001", function_name="bench")

type Answers = dict[str, str]
"""Bodies of DynamoDB's answers, by `identity`."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a warm function did in one flow.

    Attributes
    ----------
    calls
        How often it called each operation.
    read_units, write_units
        What DynamoDB bills for them.
    event
        What the function was handed.
    answers
        What DynamoDB answered, to the first call of a cold function too.
    """

    flow: Flow
    calls: Mapping[str, int]
    read_units: float
    write_units: int
    event: Mapping[str, Any]
    answers: Answers


class Scene:
    """A house on moto, with tables and secret as the template defines them; inside `mock_aws` only."""

    def __init__(self) -> None:
        self._dynamodb = dynamodb_client(region_name=aws.REGION)
        self._secrets_manager = secrets_manager_client(region_name=aws.REGION)
        for logical_id, table in resources("AWS::DynamoDB::Table").items():
            _make_table(self._dynamodb, runtime.name_of(logical_id), table["Properties"])
        for logical_id, secret in resources("AWS::SecretsManager::Secret").items():
            # What the deployment would draw, such as the master key, is any text of that length.
            drawn = "k" * secret["Properties"].get("GenerateSecretString", {}).get("PasswordLength", 0)
            text = secret["Properties"].get("SecretString", drawn)
            self._secrets_manager.create_secret(Name=runtime.name_of(logical_id), SecretString=text)
        self._settings = Settings.from_environment(runtime.variables())
        self._house = self._open_house()
        self._house.key_rotation.run()
        self._wire = Wire()
        self._wire.attach(self._dynamodb)
        logs.log.setLevel(logging.CRITICAL)  # the flows' own lines would stand between ours

    def record(self, flow: Flow) -> Recording:
        """Run a flow twice over fresh samples; the second time, by a warm function, counts."""
        samples.write_into(self._house)
        handler = self._load(flow.function)
        event = self._event(flow)
        answers: Answers = {}
        with _answers_to(self._dynamodb, answers):
            _check(flow, handler(event, CONTEXT))
        samples.write_into(self._house)
        with _answers_to(self._dynamodb, answers), self._wire.counting() as calls:
            _check(flow, handler(event, CONTEXT))
        return Recording(
            flow,
            Counter(call.operation for call in calls),
            sum(call.read_units for call in calls),
            sum(call.write_units for call in calls),
            event,
            answers,
        )

    def _event(self, flow: Flow) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((paths.ROOT / "events" / f"{flow.event}.json").read_text())
        if flow.with_bearer:
            caller = self._house.clients.authenticate(samples.CLIENT_ID, samples.CLIENT_SECRET)
            authorization = f"Bearer {self._house.access_token_issuer.issue(caller).token}"
            event["headers"]["Authorization"] = authorization
            event["multiValueHeaders"]["Authorization"] = [authorization]
        return event

    def _load(self, function: str) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
        """Import a function's handler into this scene's house, with a memory of its own."""
        path = paths.ROOT / "functions" / function / "app.py"
        spec = importlib.util.spec_from_file_location(f"bench_{function}", path)
        if spec is None or spec.loader is None:
            raise FileNotFoundError(path)
        module = importlib.util.module_from_spec(spec)
        with mock.patch.object(wiring, "House", self._open_house):
            spec.loader.exec_module(module)
        handler: Callable[[Mapping[str, Any], Any], dict[str, Any]] = module.handler
        return handler

    def _open_house(self) -> House:
        return House(self._settings, dynamodb=self._dynamodb, secrets_manager=self._secrets_manager)


@contextlib.contextmanager
def scene() -> Generator[Scene]:
    """Give a scene for the time of a block."""
    with mock_aws():
        yield Scene()


def identity(target: str, body: bytes) -> str:
    """Return what tells one recorded call from another: its operation and keys, of a query its partition."""
    request = json.loads(body)
    values = [value["S"] for value in request.get("ExpressionAttributeValues", {}).values() if "S" in value]
    # A query also says from which moment on; that is another one each time.
    partition = [text for text in values if not text[:1].isdigit()]
    return f"{target} {json.dumps(request.get('Key') or request.get('RequestItems') or partition)}"


@contextlib.contextmanager
def _answers_to(client: DynamoDBClient, answers: Answers) -> Generator[None]:
    """Collect DynamoDB's answers during the block, the first one of each call."""

    def asked(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["bench"] = identity(params["headers"]["X-Amz-Target"], params["body"])

    def answered(http_response: Any, context: dict[str, Any], **_: Any) -> None:
        answers.setdefault(context["bench"], http_response.text)

    events = client.meta.events
    events.register("before-call.dynamodb", asked)
    events.register("after-call.dynamodb", answered)
    try:
        yield
    finally:
        events.unregister("before-call.dynamodb", asked)
        events.unregister("after-call.dynamodb", answered)


def _make_table(client: DynamoDBClient, name: str, properties: Mapping[str, Any]) -> None:
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    client.create_table(TableName=name, **{key: properties[key] for key in wanted if key in properties})


def _check(flow: Flow, answer: Mapping[str, Any]) -> None:
    """Stop unless the flow did its job: a refusal is quick, and no measure of anything."""
    did = answer["policyDocument"] if not flow.is_request else answer["statusCode"] < 400  # noqa: PLR2004 - HTTP
    if not did:
        raise RuntimeError(f"{flow.name}: answered {answer['statusCode']}\n{answer['body']}")
