"""The commands about the keys. All but `create` work beside running servers."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treadle.administration import administer, data_option, database_option

if TYPE_CHECKING:
    # Imported late, so that help and mistakes are told at once.
    from treadle.call import Services
    from treadle.rekeying.counting import Dependents
    from treadle.store.change import Record

# Longer than a request takes that began to make something with a key before it was replaced.
_SETTLED_SECONDS = 30
_HEADINGS = ("KEY", "STATE", "TOKENS", "SECRETS", "LINK TOKENS", "ENVELOPES")


@click.group()
def keys() -> None:
    """Make, replace and retire the keys behind digests and encrypted values."""


@keys.command("create")
@data_option
def create(data: Path) -> None:
    """Make a key file where there is none. The first start does so too, unless it is given keys."""
    from treadle import key_files
    from treadle.app import KEY_FILE

    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not key_files.create(data / KEY_FILE):
        raise click.ClickException(f"{data / KEY_FILE} is there already")
    click.echo(f"made {data / KEY_FILE}; keep a copy of it, apart from those of the database")


@keys.command("rotate")
@click.option(
    "--stage",
    is_flag=True,
    help="Only make the new keys known. They come into use by another `rotate`, once every "
    "machine has the file.",
)
@data_option
@database_option
def rotate(stage: bool, data: Path, database: str | None) -> None:
    """Put new keys into use, or those that are staged, and re-wrap all that is sealed.

    Servers on the same key file take the new keys up by themselves. What is cut short is finished
    by `treadle keys rewrap`.
    """

    async def work(services: Services) -> bool:
        from treadle.key_rotation import stage_keys, use_new_keys
        from treadle.store.key_check import check_keys

        path = _own_file(services)
        key_id = stage_keys(path) if stage else use_new_keys(path)
        services.keys.renew()
        problem = await check_keys(services.store, services.keys)
        if problem is not None:
            raise click.ClickException(problem)
        await _record(services, "keys.stage" if stage else "keys.rotate", {"key": key_id})
        click.echo(f"{key_id} is {'known and not in use yet' if stage else 'in use'}")
        return stage or await _rewrap(services)

    if not administer(data, database, work, "another command is changing the keys"):
        sys.exit(1)


def _own_file(services: Services) -> Path:
    if services.keys.path is None:
        raise click.ClickException(
            "the keys are not from a key file, so they change where they are kept; "
            "docs/keys.md has the steps"
        )
    return services.keys.path


@keys.command("rewrap")
@data_option
@database_option
def rewrap(data: Path, database: str | None) -> None:
    """Bring all that is sealed under the envelope key in use."""
    if not administer(data, database, _rewrap, ""):
        sys.exit(1)


async def _rewrap(services: Services) -> bool:
    """Whether everything that is under a former key could be opened."""
    from treadle.rekeying.counting import count_dependents
    from treadle.rekeying.rewrapping import rewrap

    store, held = services.store, services.keys
    dependents = await count_dependents(store, held, services.clock.now())
    length = sum(dependents.envelopes[key_id] for key_id in held.former_envelope_ids)
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        length=length, file=sys.stderr, hidden=hidden, label="Re-wrapping"
    ) as bar:
        done = await rewrap(store, held, bar.update)
    if done.count:
        await _record(services, "keys.rewrap", {"envelopes": done.count})
    click.echo(f"re-wrapped {done.count} envelopes under {held.envelope_id}")
    for row in sorted(done.unreadable):
        click.echo(f"does not open: {row}", err=True)
    return not done.unreadable


@keys.command("status")
@data_option
@database_option
def status(data: Path, database: str | None) -> None:
    """Count what depends on each key: live tokens and secrets by pepper, and envelopes."""

    async def work(services: Services) -> None:
        from treadle.rekeying.counting import count_dependents

        dependents = await count_dependents(services.store, services.keys, services.clock.now())
        click.echo(_table(services, dependents))

    administer(data, database, work, "")


def _table(services: Services, dependents: Dependents) -> str:
    held = services.keys
    ids = dict.fromkeys(id_ for kind in held.fingerprints.values() for id_ in kind)
    lines: list[tuple[str, ...]] = [_HEADINGS]
    for id_ in ids:
        lines.append((id_, _state(services, id_), *_counts(dependents, id_)))
    unknown = {*dependents.tokens, *dependents.secrets, *dependents.link_tokens, ""} - {*ids}
    for id_ in sorted(unknown):
        if any(count != "0" for count in _counts(dependents, id_)):
            lines.append((id_ or "?", "missing", *_counts(dependents, id_)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _counts(dependents: Dependents, key_id: str) -> tuple[str, ...]:
    return tuple(str(getattr(dependents, name)[key_id]) for name in dependents.__struct_fields__)


def _state(services: Services, key_id: str) -> str:
    held = services.keys
    if key_id in held.staged:
        return "staged"
    return "in use" if key_id in (held.pepper_id, held.envelope_id) else "former"


@keys.command("retire")
@click.argument("key_id")
@click.option("--yes", is_flag=True, help="Revoke what the key still digests without asking.")
@data_option
@database_option
def retire(key_id: str, yes: bool, data: Path, database: str | None) -> None:
    """Take a former key out of the key file, and revoke the tokens and secrets it still digests.

    A key that something is sealed under is not retired; re-wrap first.
    """

    async def work(services: Services) -> None:
        from treadle.rekeying.counting import count_dependents
        from treadle.rekeying.retiring import revoke_digests
        from treadle.store.key_check import retire as remember_as_retired

        _check_former(services, key_id)
        await _wait_until_settled(services)
        now = services.clock.now()
        dependents = await count_dependents(services.store, services.keys, now)
        if count := dependents.envelopes[key_id]:
            raise click.ClickException(
                f"{count} envelopes depend on {key_id}: run `treadle keys rewrap` first"
            )
        left = dependents.digests(key_id)
        if left and not yes:
            click.confirm(f"Revoke {left} live tokens and secrets under {key_id}?", abort=True)
        revoked = await revoke_digests(services.store, key_id, now)
        record = _entry(services, "keys.retire", {"key": key_id, "revoked": revoked})
        await remember_as_retired(services.store, services.keys, key_id, record)
        click.echo(f"revoked {revoked} tokens and secrets")
        _forget(services, key_id)

    administer(data, database, work, "")


def _check_former(services: Services, key_id: str) -> None:
    held = services.keys
    known = {id_ for kind in held.fingerprints.values() for id_ in kind}
    if key_id not in known:
        raise click.ClickException(f"there is no key {key_id}; the keys are {', '.join(known)}")
    if _state(services, key_id) == "in use":
        raise click.ClickException(f"{key_id} is in use: run `treadle keys rotate` first")


async def _wait_until_settled(services: Services) -> None:
    """What was begun with a key before it was replaced is in the database after this."""
    from treadle.clock import wall_second

    if services.keys.path is None:
        return
    changed = int(services.keys.path.stat().st_mtime)
    seconds = changed + _SETTLED_SECONDS - wall_second()
    if seconds > 0:
        click.echo(f"the key file has just changed: waiting {seconds} s for what is under way")
        await asyncio.sleep(seconds)


def _forget(services: Services, key_id: str) -> None:
    from treadle.key_rotation import remove_key

    if services.keys.path is None:
        click.echo(f"now take {key_id} out of the keys where they are kept")
        return
    remove_key(services.keys.path, key_id)
    click.echo(f"{key_id} is retired and out of {services.keys.path}")


def _entry(services: Services, action: str, detail: dict[str, object]) -> Record:
    """An entry of the operator's own chain, for it concerns no client alone."""
    from treadle.clients import OPERATOR
    from treadle.store.change import Record

    return Record(
        at=services.clock.now(),
        client_id=OPERATOR,
        actor=OPERATOR,
        action=action,
        detail=detail,
    )


async def _record(services: Services, action: str, detail: dict[str, object]) -> None:
    from treadle.store.change import Change

    change = Change()
    change.record(_entry(services, action, detail))
    await services.store.commit(change)
