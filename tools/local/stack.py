"""One local stack: an emulator with the real template deployed on it.

The invariant: a `Stack` object knows everything that differs between this stack and another one (port,
addresses, names of tables), so two of them live side by side; nothing is read from the environment.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import boto3

from tools.local import aws, emulator, gaps, paths, sam
from tools.local.console import LocalError, say
from tools.local.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DOMAIN = "vestibule.localhost"
DEFAULT_NAME = "run"
DEFAULT_PORT = 4566


@dataclass
class Stack:
    """A local stack by name.

    Attributes
    ----------
    name
        Names its folder `.local/<name>/` (logs, PID file, temporary files).
    port
        The emulator's port on the loopback address: every API, every host name.
    outputs
        The deployed template's outputs; empty before `deploy`.
    """

    name: str
    port: int
    outputs: dict[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, name: str = DEFAULT_NAME, port: int = DEFAULT_PORT, *, aws_endpoint: str | None = None) -> Self:
        """Start this stack's emulator, or find the one that runs.

        Parameters
        ----------
        name, port
            See the attributes.
        aws_endpoint
            Address of a proxy that the functions' SDK traffic is to pass, instead of going straight to the
            emulator. IAM is enforced either way.

        Raises
        ------
        LocalError
            The port belongs to another program, or the emulator does not come up.
        """
        stack = cls(name, port)
        stack.home.mkdir(parents=True, exist_ok=True)
        stack._emulator.start(functions_endpoint=aws_endpoint)
        return stack

    @classmethod
    def attach(cls, name: str = DEFAULT_NAME) -> Self:
        """Give the stack that runs under this name, with its outputs.

        Raises
        ------
        LocalError
            None runs, or nothing is deployed on it yet.
        """
        running = emulator.find_running(paths.LOCAL / name)
        if running is None:
            raise LocalError("no local stack is running: `make run` starts one")
        stack = cls(name, running.port)
        stack._read_outputs()
        return stack

    @property
    def home(self) -> Path:
        """The stack's folder."""
        return paths.LOCAL / self.name

    @property
    def emulator_url(self) -> str:
        """The endpoint of every AWS API."""
        return self._emulator.url

    @property
    def emulator_log(self) -> Path:
        """The emulator's log file."""
        return self._emulator.log

    @property
    def api_url(self) -> str:
        """The native API's address, as a portal would be given it (without a slash at the end)."""
        return f"http://api.{DOMAIN}:{self.port}"

    @property
    def hub_origin(self) -> str:
        """The hub's address of any account, with the literal `{slug}` in its place."""
        return f"http://{{slug}}.hub.{DOMAIN}:{self.port}"

    def hub_url(self, slug: str) -> str:
        """Give the hub's address of one account (without a slash at the end)."""
        return self.hub_origin.format(slug=slug)

    def client(self, service: str) -> Any:
        """Make a boto3 client of this stack's emulator, as the account's root."""
        make: Callable[..., Any] = self.session.client  # it has one overload for each of AWS's services
        return make(service, endpoint_url=self.emulator_url)

    @property
    def session(self) -> boto3.Session:
        """A boto3 session with the emulator's credentials."""
        return boto3.Session(
            aws_access_key_id=aws.ACCESS_KEY, aws_secret_access_key=aws.SECRET_KEY, region_name=aws.REGION
        )

    def deploy(self) -> None:
        """Build and deploy the working copy's template, then close the emulator's gaps.

        What this very emulator holds already, from the same sources and parameters, is not deployed again.
        """
        settings = aws.write_settings(self.home, self.emulator_url)
        architecture = sam.machine_architecture()
        parameters = {
            "Architecture": architecture,
            "DomainName": DOMAIN,
            "ApiOrigin": self.api_url,
            "HubOrigin": self.hub_origin,
            "DialectHosts": "true",
            "Protection": "off",  # what is made here may be thrown away
            "EnableAlarms": "false",  # the emulator knows no metric math
            "MailIdentity": DOMAIN,
            "MailSender": f"no-reply@{DOMAIN}",
            "CreateMailIdentity": "true",  # verified at once there
        }
        stamp = self._emulator.temporary / "deployed"
        with sam.built(home=self.home, settings=settings, architecture=architecture) as built_from:
            deployed = json.dumps([built_from, parameters])
            if stamp.exists() and stamp.read_text() == deployed:
                say("sam deploy: nothing has changed since the last one")
                self._read_outputs()
                return
            stamp.unlink(missing_ok=True)
            sam.deploy(home=self.home, settings=settings, parameters=parameters)
        self._read_outputs()
        count = gaps.publish_gateway_responses(self.client("cloudformation"), self.client("apigateway"), sam.STACK_NAME)
        say(f"gateway responses: {count} made live")
        gaps.say_rights(self.client("iam"))
        gaps.say_numbers(self.client("lambda"))
        stamp.write_text(deployed)

    def register_hub_host(self, slug: str) -> str:
        """Serve the hub on an account's host, which AWS does by a wildcard; return its address."""
        gaps.register_host(
            self.client("apigateway"),
            host=f"{slug}.hub.{DOMAIN}",
            api_id=self.outputs["HubApiId"],
            stage=self.outputs["HubStage"],
        )
        return self.hub_url(slug)

    def stop(self) -> bool:
        """End the emulator and everything that it started; tell whether there was one."""
        return emulator.stop(self.home)

    def function_name(self, logical_id: str) -> str:
        """Give the deployed name of a function of the template."""
        described = self.client("cloudformation").describe_stack_resource(
            StackName=sam.STACK_NAME, LogicalResourceId=logical_id
        )
        return str(described["StackResourceDetail"]["PhysicalResourceId"])

    def functions(self) -> dict[str, dict[str, Any]]:
        """Give each function's configuration by its logical id in the template."""
        by_name = {
            function["FunctionName"]: function
            for page in self.client("lambda").get_paginator("list_functions").paginate()
            for function in page["Functions"]
        }
        resources = [
            resource
            for page in self.client("cloudformation")
            .get_paginator("list_stack_resources")
            .paginate(StackName=sam.STACK_NAME)
            for resource in page["StackResourceSummaries"]
        ]
        return {
            resource["LogicalResourceId"]: by_name[resource["PhysicalResourceId"]]
            for resource in resources
            if resource["ResourceType"] == "AWS::Lambda::Function"
        }

    def write_function_environments(self, path: Path) -> None:
        """Write each function's variables as `sam local invoke --env-vars` reads them."""
        variables = {
            logical_id: configuration.get("Environment", {}).get("Variables", {})
            | {"AWS_ENDPOINT_URL": self.emulator_url}
            for logical_id, configuration in self.functions().items()
        }
        path.write_text(json.dumps(variables, indent=2) + "\n")

    def write_shell_settings(self, path: Path) -> None:
        """Write what a shell has to source for `sam` (and the AWS CLI) to speak with this stack."""
        settings = aws.write_settings(self.home, self.emulator_url)
        lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
        lines.append(f'export PATH={shlex.quote(str(paths.SAM.parent))}:"$PATH"')
        path.write_text("\n".join(lines) + "\n")

    @property
    def _emulator(self) -> Emulator:
        return Emulator(self.home, self.port)

    def _read_outputs(self) -> None:
        cloudformation = self.client("cloudformation")
        try:
            described = cloudformation.describe_stacks(StackName=sam.STACK_NAME)["Stacks"][0]
        except cloudformation.exceptions.ClientError as error:
            raise LocalError(f"nothing is deployed on {self.emulator_url} yet: run `make run`") from error
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
