"""What a cold start imports and makes: each function what it needs, and nothing of another's.

`make bench` measures the time; this holds without a clock. The invariant: a package below is imported at start-up by
the functions that stand beside it, and by no other, so that an import too many shows here first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from tools.local.paths import ROOT

FUNCTIONS = frozenset(path.parent.name for path in ROOT.glob("functions/*/app.py"))
NOBODY: frozenset[str] = frozenset()
NATIVE_API = frozenset(
    {
        "account",
        "api_clients",
        "app_secrets",
        "attendance",
        "embed_create",
        "login_uri_issue",
        "login_uri_revoke",
        "login_uri_state",
        "participants",
        "registrant_create",
        "registrants",
        "rooms",
        "session_create",
        "sessions",
        "users",
    }
)
WITHOUT_TABLES = frozenset({"static"})
FIRST_CLIENT_LATER = frozenset({"key_rotation", "mail_reports", "mailer", "router"})  # nobody waits for them

IMPORTED_BY = {
    "argon2": NOBODY,  # comes with the first password
    "asyncio": NOBODY,
    "aws_lambda_powertools": FUNCTIONS - WITHOUT_TABLES,
    "aws_lambda_powertools.event_handler": NOBODY,  # every door has vestibule.http.handler
    "aws_xray_sdk": NOBODY,
    "boto3": NOBODY,  # botocore does
    "botocore.client": FUNCTIONS - WITHOUT_TABLES - FIRST_CLIENT_LATER | {"mailer"},
    "cryptography": NOBODY,  # comes with the first token
    "email_validator": NOBODY,  # comes with the first address that decides who somebody is
    "icalendar": NOBODY,  # comes with vestibule.mail
    "jinja2": NOBODY,  # comes with the first page
    "jwt": NOBODY,  # comes with the first token
    "pydantic": NATIVE_API,
    "s3transfer": NOBODY,
}

LOOK = """
import sys
before = set(sys.modules)
import app
imported = sorted(set(sys.modules) - before)
import gc, json
kind = getattr(sys.modules.get("botocore.client"), "BaseClient", ())
clients = [one.meta.service_model.service_name for one in gc.get_objects() if isinstance(one, kind)]
print(json.dumps({"is_callable": callable(app.handler), "imported": imported, "clients": clients}))
"""


@cache
def start(function: str) -> dict[str, Any]:
    """Import a function's handler into a fresh process and tell what came of it."""
    ended = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-c", LOOK],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT / "functions" / function), str(ROOT / "layers" / "vestibule")]),
            "AWS_DEFAULT_REGION": "eu-central-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    seen: dict[str, Any] = json.loads(ended.stdout)
    return seen


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_starts_with_its_own_packages_alone(function: str) -> None:
    # when
    started = start(function)

    # then
    assert started["is_callable"]
    wanted = {package for package, importers in IMPORTED_BY.items() if function in importers}
    assert wanted == IMPORTED_BY.keys() & set(started["imported"])


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_makes_one_client_of_aws_while_it_starts(function: str) -> None:
    # when
    clients = start(function)["clients"]

    # then
    assert clients == ([] if function in WITHOUT_TABLES | FIRST_CLIENT_LATER else ["dynamodb"])
