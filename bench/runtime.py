"""Processes that are like Lambda's: its Python, its search path, its variables, and no bytecode written.

The invariant: a measured process holds nothing of this project but the artifacts. Its Python is the emulator's
environment's, which has boto3 with bytecode as Lambda's runtime does.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from tests.support.template import template
from tools.local import aws, paths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PLACEHOLDERS = {
    "API_ORIGIN": "https://api.vestibule.localhost",
    "HUB_ORIGIN": "https://{slug}.hub.vestibule.localhost",
    "SIGNING_KEYS_SECRET": "bench-SigningKeysSecret",
    "MASTER_KEY_SECRET": "bench-MasterKeySecret",
}


def name_of(logical_id: str) -> str:
    """Give the name of a resource of the template, where one is needed."""
    return f"bench-{logical_id}"


def variables(*, endpoint: str = "http://127.0.0.1:9") -> dict[str, str]:
    """Give a function's environment variables: Lambda's own, and the template's for all functions.

    Parameters
    ----------
    endpoint
        Where the SDK's calls go; by default to nobody, since starting up calls nobody.
    """
    named = template()["Globals"]["Function"]["Environment"]["Variables"]
    return paths.base_environment() | {
        "AWS_ACCESS_KEY_ID": aws.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": aws.SECRET_KEY,
        "AWS_REGION": aws.REGION,
        "AWS_DEFAULT_REGION": aws.REGION,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "PYTHONDONTWRITEBYTECODE": "1",  # /var/task and /opt are read-only
        **{name: _value(name, value) for name, value in named.items()},
        "AWS_ENDPOINT_URL": endpoint,
    }


def run(script: Path, *arguments: object, environment: Mapping[str, str]) -> str:
    """Run a script in a fresh process and give what it printed.

    Raises
    ------
    RuntimeError
        It failed; the text is its own.
    """
    ended = subprocess.run(  # noqa: S603 - our own script, no shell
        # -P: the script's folder must not become an import path.
        [paths.EMULATOR_PYTHON, "-P", script, *map(str, arguments)],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise RuntimeError(f"{script.name} {' '.join(map(str, arguments))}\n{ended.stderr}")
    return ended.stdout


def _value(name: str, value: Any) -> str:
    """Resolve a variable of the template: references by parameters' defaults, what is computed by placeholders."""
    if isinstance(value, str):
        return value
    if "Ref" not in value:
        return _PLACEHOLDERS[name]
    parameters: dict[str, Any] = template()["Parameters"]
    return str(parameters[value["Ref"]]["Default"]) if value["Ref"] in parameters else name_of(value["Ref"])
