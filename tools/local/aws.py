"""AWS clients and command-line settings that can only ever reach a local emulator.

The invariant: nobody's own AWS configuration is read. Credentials are the emulator's (`test` is its
account root), and the configuration files that sam and boto3 are pointed to lie below `.local`.
"""

import configparser
import json
import time
from pathlib import Path
from typing import Final

from tools.local import paths

REGION: Final = "us-east-1"
ACCESS_KEY: Final = "test"
SECRET_KEY: Final = "test"  # noqa: S105 - the emulator's well-known one
# samconfig.toml's default environment names this profile, so a bare `sam deploy` of somebody who has
# real credentials stops with "profile not found" instead of deploying the local parameters to AWS.
PROFILE: Final = "vestibule-local"


def write_settings(home: Path, endpoint: str) -> dict[str, str]:
    """Write AWS configuration files for one emulator and give the variables that select them.

    Parameters
    ----------
    home
        The stack's folder.
    endpoint
        The emulator's address.

    Returns
    -------
    dict of str to str
        Environment variables for sam, boto3 or the AWS CLI.
    """
    folder = home / "aws"
    folder.mkdir(parents=True, exist_ok=True)
    _write_ini(folder / "config", f"profile {PROFILE}", {"region": REGION, "endpoint_url": endpoint})
    _write_ini(folder / "credentials", PROFILE, {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY})
    return {
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_PROFILE": PROFILE,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(_sam_folder()),
    }


def _sam_folder() -> Path:
    """Give sam a settings folder of its own, which says that it has just looked for a newer version."""
    folder = paths.LOCAL / "sam"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metadata.json").write_text(json.dumps({"telemetryEnabled": False, "lastVersionCheck": time.time()}))
    return folder


def _write_ini(path: Path, section: str, values: dict[str, str]) -> None:
    parser = configparser.ConfigParser()
    parser[section] = values
    with path.open("w") as sink:
        parser.write(sink)
