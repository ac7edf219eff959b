# ruff: noqa: INP001 - Lambda imports app.py by its file name, not as part of a package
"""The least that a handler with a table can be: what the functions' start-up is measured against."""

import boto3

client = boto3.client("dynamodb")


def handler(_event: object, _context: object) -> None:
    """Do nothing."""
