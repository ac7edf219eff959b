"""Start and end the local stack: `python -m tools.local up` and `down`, as `make run` and `make stop` do."""

import sys
from typing import Annotated

import typer

from tools.local import demo, paths, samples
from tools.local.console import LocalError, say
from tools.local.emulator import stop
from tools.local.stack import DEFAULT_NAME, DEFAULT_PORT, Stack
from tools.local.walk import walk

FUNCTION_ENVIRONMENTS = paths.LOCAL / "env.json"
SHELL_SETTINGS = paths.LOCAL / "aws.sh"

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command()
def up(port: Annotated[int, typer.Option(help="The emulator's port on 127.0.0.1.")] = DEFAULT_PORT) -> None:
    """Start the emulator unless it runs, build the working copy and deploy it."""
    stack = Stack.start(DEFAULT_NAME, port)
    stack.deploy()
    samples.write(stack)
    stack.write_function_environments(FUNCTION_ENVIRONMENTS)
    stack.write_shell_settings(SHELL_SETTINGS)


@app.command(name="walk")
def walk_main_job() -> None:
    """Walk the main job on the running stack, printing each step."""
    walk(Stack.attach())


@app.command(name="samples")
def write_samples() -> None:
    """Put back what the events in events/ speak of, after they have used it up."""
    samples.write(Stack.attach())
    say(f"samples: events/*.json have their account {samples.ACCOUNT_ID} again, with fresh login URIs for an hour")


@app.command()
def down() -> None:
    """End the local stack, and remove what told of it."""
    say("local stack: ended" if stop(paths.LOCAL / DEFAULT_NAME) else "local stack: none was running")
    demo.forget(paths.LOCAL)
    FUNCTION_ENVIRONMENTS.unlink(missing_ok=True)
    SHELL_SETTINGS.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        app()
    except LocalError as error:
        sys.exit(f"error: {error}")
