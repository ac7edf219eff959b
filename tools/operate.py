"""The operator's command: accounts and their API clients, straight in the tables, and dead letters.

It goes through the very domain calls and store that the functions use, with the credentials of the
shell.  A secret is printed once, when it is made, and is nowhere to be found again.

Without ``--aws-stack`` it works on the local stack that `make run` started.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer

from tools.dead_letters import DeadLetters
from tools.local import LocalError, Stack
from vestibule.clock import MINUTE, to_rfc3339
from vestibule.domain import scopes
from vestibule.domain.guesses import LINKS_TO_USER, OF_NETWORK, PASSWORDS_OF_USER, network_of
from vestibule.domain.rotation import OVERLAP
from vestibule.errors import VestibuleError
from vestibule.model import Account, Client, Status
from vestibule.settings import Settings
from vestibule.store.aws import dynamodb_client, secrets_manager_client
from vestibule.wiring import House

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
clients_app = typer.Typer(no_args_is_help=True, help="API clients of an account.")
app.add_typer(clients_app, name="clients")
letters_app = typer.Typer(no_args_is_help=True, help="What the outbox gave up on.")
app.add_typer(letters_app, name="dead-letters")

AccountId = Annotated[str, typer.Argument(help="The account's id.")]
ClientId = Annotated[str, typer.Argument(help="The client_id.")]
Scopes = Annotated[list[str] | None, typer.Option("--scope", help="May be repeated; all scopes when left out.")]


@dataclass(frozen=True)
class Site:
    """Where the command works: a house, and the local stack when it is that one's."""

    house: House
    local: Stack | None
    dead_letters: DeadLetters


@app.callback()
def choose(
    context: typer.Context,
    aws_stack: Annotated[str, typer.Option(help="CloudFormation stack in AWS, instead of the local one.")] = "",
) -> None:
    """Find the deployment before any command runs."""
    context.obj = _aws_site(aws_stack) if aws_stack else local_site(Stack.attach())


def local_site(stack: Stack) -> Site:
    """Return the house of a local stack."""
    house = House(
        _settings(stack.outputs),
        dynamodb=stack.client("dynamodb"),
        secrets_manager=stack.client("secretsmanager"),
    )
    return Site(house, stack, _dead_letters(stack.client("sqs"), stack.outputs))


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What visitors read on every page.")],
    slug: Annotated[str, typer.Option(help="First label of the account's hub host.")],
    redirect_uri: Annotated[list[str] | None, typer.Option(help="Where browsers may be sent to; repeatable.")] = None,
    portal_url: Annotated[str | None, typer.Option(help="Where a lost visitor goes back to.")] = None,
) -> None:
    """Create an account with its first API client."""
    site: Site = context.obj
    settings: dict[str, Any] = {"redirect_uris": redirect_uri or [], "portal_url": portal_url}
    account = site.house.accounts.create(name, slug, settings)
    client, secret = site.house.clients.create(account.account_id, "first client", scopes.ALL)
    if site.local is not None:
        site.local.register_hub_host(slug)
    _print_account(site, account)
    _print_secret(client, secret)


@app.command(name="list")
def index(context: typer.Context) -> None:
    """List every account."""
    for account in context.obj.house.accounts.all():
        typer.echo(f"{account.account_id:>10}  {account.status:<8}  {account.slug:<24}  {account.name}")


@app.command()
def show(context: typer.Context, account_id: AccountId) -> None:
    """Show an account and its API clients."""
    site: Site = context.obj
    _print_account(site, site.house.accounts.current(account_id))
    _print_clients(site.house.clients.list_of(account_id))


@app.command()
def disable(context: typer.Context, account_id: AccountId) -> None:
    """Refuse an account's credentials and close its hub, within a minute (15 for access tokens)."""
    _set_status(context.obj, account_id, Status.DISABLED)


@app.command()
def enable(context: typer.Context, account_id: AccountId) -> None:
    """Let a disabled account in again."""
    _set_status(context.obj, account_id, Status.ACTIVE)


@app.command()
def unblock(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="A visitor's IP address; an IPv6 address stands for its /64.")] = "",
    account_id: Annotated[str, typer.Option(help="The user's account.")] = "",
    user_id: Annotated[str, typer.Option(help="A user whose password was wrong too often.")] = "",
) -> None:
    """Forget what was counted before its time is over: guesses and requests from an address, or of a user."""
    guesses = context.obj.house.guesses
    if bool(account_id) is not bool(user_id) or not (user_id or address):
        raise typer.BadParameter("name an address, or --account-id with --user-id, or all three")
    if address:
        network = network_of(address)
        lifted = [guesses.lift(limit, network) for limit in OF_NETWORK]
        _say_unblocked(network, is_known=any(lifted))
    if user_id:
        lifted = [guesses.lift(limit, account_id, user_id) for limit in (PASSWORDS_OF_USER, LINKS_TO_USER)]
        _say_unblocked(f"user {user_id}", is_known=any(lifted))


@clients_app.command(name="list")
def list_clients(context: typer.Context, account_id: AccountId) -> None:
    """List an account's API clients."""
    _print_clients(context.obj.house.clients.list_of(account_id))


@clients_app.command()
def add(
    context: typer.Context,
    account_id: AccountId,
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Scopes = None,
) -> None:
    """Create a further API client."""
    house = context.obj.house
    house.accounts.current(account_id)
    _print_secret(*house.clients.create(account_id, name, scope or scopes.ALL))


@clients_app.command()
def rotate(
    context: typer.Context,
    account_id: AccountId,
    client_id: ClientId,
    overlap_minutes: Annotated[int, typer.Option(min=0, help="How long the former secret still works.")] = OVERLAP
    // MINUTE,
) -> None:
    """Give an API client a new secret; the former one works on for a while."""
    house = context.obj.house
    _print_secret(*house.clients.rotate(account_id, client_id, overlap=overlap_minutes * MINUTE))


@clients_app.command()
def remove(context: typer.Context, account_id: AccountId, client_id: ClientId) -> None:
    """Remove an API client."""
    context.obj.house.clients.delete(account_id, client_id)
    typer.echo(f"removed {client_id}")


@letters_app.command(name="list")
def list_letters(context: typer.Context) -> None:
    """Show what lies in the dead-letter queue, by its ids."""
    count = 0
    for letter in context.obj.dead_letters.all():
        typer.echo(str(letter))
        count += 1
    typer.echo(f"{count} dead letters")


@letters_app.command()
def redrive(context: typer.Context) -> None:
    """Put every message of the outbox back on its queue; what nobody can read stays."""
    typer.echo(f"{context.obj.dead_letters.redrive()} sent on")


@letters_app.command()
def drop(context: typer.Context, message_id: Annotated[str, typer.Argument(help="As `list` shows it.")]) -> None:
    """Throw one message away."""
    typer.echo("dropped" if context.obj.dead_letters.drop(message_id) else "there is no such message")


def _say_unblocked(who: str, *, is_known: bool) -> None:
    typer.echo(f"{who}: {'wrong guesses are forgotten' if is_known else 'no wrong guesses are known'}")


def _set_status(site: Site, account_id: str, status: Status) -> None:
    account = site.house.accounts.set_status(account_id, status, site.house.client_store)
    typer.echo(f"{account.account_id} is {account.status}")


def _print_account(site: Site, account: Account) -> None:
    typer.echo(f"account     {account.account_id}  ({account.status})")
    typer.echo(f"name        {account.name}")
    typer.echo(f"hub         {site.house.settings.hub_url(account.slug)}")
    for address in account.redirect_uris:
        typer.echo(f"redirects   {address}")


def _print_clients(clients: list[Client]) -> None:
    for client in clients:
        live = ", ".join(
            "no end" if secret.expires_at is None else f"until {to_rfc3339(secret.expires_at)}"
            for secret in client.secrets
        )
        typer.echo(f"{client.client_id}  {client.name}  [{' '.join(client.scopes)}]  secrets: {live}")


def _print_secret(client: Client, secret: str) -> None:
    typer.echo(f"client_id      {client.client_id}")
    typer.echo(f"client_secret  {secret}  (shown this once)")


def _aws_site(stack_name: str) -> Site:
    described = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    dead_letters = _dead_letters(boto3.client("sqs"), outputs)
    house = House(_settings(outputs), dynamodb=dynamodb_client(), secrets_manager=secrets_manager_client())
    return Site(house, None, dead_letters)


def _dead_letters(client: SQSClient, outputs: dict[str, str]) -> DeadLetters:
    return DeadLetters(client, outputs["DeadLetterQueue"], outputs["OutboxQueue"])


def _settings(outputs: dict[str, str]) -> Settings:
    return Settings(
        api_origin=outputs["ApiUrl"],
        hub_origin=outputs["HubOrigin"],
        directory_table=outputs["DirectoryTable"],
        passes_table=outputs["PassesTable"],
        journal_table=outputs["JournalTable"],
        signing_keys_secret=outputs["SigningKeysSecret"],
        master_key_secret=outputs["MasterKeySecret"],
        outbox_queue=outputs["OutboxQueue"],
        dead_letter_queue=outputs["DeadLetterQueue"],
    )


if __name__ == "__main__":
    try:
        app()
    except (LocalError, VestibuleError) as error:
        sys.exit(f"error: {error.detail if isinstance(error, VestibuleError) else error}")
