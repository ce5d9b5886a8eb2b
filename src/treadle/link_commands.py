"""The commands that go through Link with a link token."""

from __future__ import annotations

import json
from typing import Any

import click

from treadle.server_options import asking, client_options, url_option

_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print all that the app's page would be given."
)


@click.group()
def link() -> None:
    """Go through Link with a link token, where there is no app to do it in.

    The public token is printed on standard output, and how Link ended on standard error. The exit
    code is 1 where nothing was linked.
    """


@link.command("open")
@click.argument("token")
@click.option("--no-browser", is_flag=True, help="Only print the address that is to be opened.")
@_json_option
@url_option
def open_link(token: str, no_browser: bool, as_json: bool, url: str) -> None:
    """Open Link in the browser, and wait until its user is through with it."""
    from treadle.link.terminal import LinkPage, NoServer

    _check(token)
    try:
        page = LinkPage(url.rstrip("/"), token)
    except NoServer as problem:
        raise click.ClickException(str(problem)) from None
    with page:
        click.echo(f"Link is at {page.url}", err=True)
        if not no_browser:
            click.launch(page.url)
        ended = page.wait()
    public_token = ended.get("public_token")
    _tell(ended, [public_token] if public_token else [], as_json=as_json)


@link.command("complete")
@click.argument("token")
@click.option("--institution-id", metavar="ID", help="Where the user logs in.")
@click.option("--username", metavar="TEXT", help="Of a sandbox user; default: user_good.")
@click.option("--password", metavar="TEXT", help="Of a sandbox user; default: pass_good.")
@click.option(
    "--mask",
    "account_masks",
    multiple=True,
    metavar="DIGITS",
    help="How the number of an account ends that is shared; repeatable. Default: all accounts.",
)
@click.option(
    "--outcome",
    type=click.Choice(["success", "exit", "error"]),
    help="How it ends; default: success.",
)
@click.option("--error-code", metavar="CODE", help="What the user meets with --outcome error.")
@_json_option
@client_options("The client whose link token it is.")
def complete(token: str, as_json: bool, url: str, client_id: str, secret: str, **plan: Any) -> None:
    """Go through Link at once and without a browser, as a sandbox user would."""
    _check(token)
    given = {name: value for name, value in plan.items() if value}
    with asking(url, client_id, secret) as treadle:
        run = treadle.link.run(token, **given)
    if run.exit is None:
        ended = {"public_token": run.public_token, "metadata": run.metadata}
    else:
        ended = {"error": run.exit.error, "metadata": run.exit.metadata}
    _tell(ended, run.public_tokens, as_json=as_json)


def _check(token: str) -> None:
    if not token.startswith("link-"):
        raise click.UsageError(
            "TOKEN must be a link token, as /link/token/create answers it: link-sandbox-…"
        )


def _tell(ended: dict[str, Any], public_tokens: list[str], *, as_json: bool) -> None:
    """Print how Link ended, and leave with an exit code that says whether anything was linked."""
    metadata = ended["metadata"]
    if as_json:
        click.echo(json.dumps(ended, indent=2))
    for public_token in [] if as_json else public_tokens:
        click.echo(public_token)
    if "error" not in ended:
        accounts = ", ".join(f"{one['name']} {one['mask'] or ''}" for one in metadata["accounts"])
        bank = (metadata["institution"] or {}).get("name")
        click.echo(f"linked {bank or 'an account'}: {accounts}".rstrip(" :"), err=True)
        return
    error = ended["error"]
    why = f"{error['error_code']}: {error['error_message']}" if error else metadata["status"]
    click.echo("nothing was linked" + (f": {why}" if why else ""), err=True)
    raise SystemExit(1)
