"""The main job, step by step, as a person would like to read it."""

from tools.local.console import say
from tools.local.stack import Stack


def walk(stack: Stack) -> None:
    """Show what runs where."""
    say(f"native API  {stack.api_url}")
    say(f"emulator    {stack.emulator_url}")
