"""Start and end the local stack: `python -m tools.local up` and `down`, as `make run` and `make stop` do."""

import sys
from typing import Annotated

import typer

from tools.local import paths
from tools.local.console import LocalError, say
from tools.local.emulator import stop
from tools.local.stack import DEFAULT_NAME, DEFAULT_PORT, Stack
from tools.local.walk import walk

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def up(port: Annotated[int, typer.Option(help="The emulator's port on 127.0.0.1.")] = DEFAULT_PORT) -> None:
    """Start the emulator unless it runs, build the working copy and deploy it."""
    stack = Stack.start(DEFAULT_NAME, port)
    stack.deploy()
    stack.write_function_environments(paths.LOCAL / "env.json")
    stack.write_shell_settings(paths.LOCAL / "aws.sh")


@app.command(name="walk")
def walk_main_job() -> None:
    """Walk the main job on the running stack, printing each step."""
    walk(Stack.attach())


@app.command()
def down() -> None:
    """End the local stack."""
    say("local stack: ended" if stop(paths.LOCAL / DEFAULT_NAME) else "local stack: none was running")


if __name__ == "__main__":
    try:
        app()
    except LocalError as error:
        sys.exit(f"error: {error}")
