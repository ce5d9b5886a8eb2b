"""The client's world: its clock, its seed, its faults and its snapshots."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from treadle.clock import to_datetime
from treadle.console.visit import Visit
from treadle.faults.rows import FAULTS
from treadle.faults.rules import Effect
from treadle.operations import IMPLEMENTED
from treadle.state.snapshots import SNAPSHOTS

_PREFIX = "/treadle/sandbox"


async def show(visit: Visit) -> Response:
    worlds = visit.services.worlds
    return visit.page(
        "world.html",
        clock=to_datetime(visit.now),
        stands_still=worlds.stands_still(visit.client),
        seeded=worlds.is_seeded(visit.client),
        own_seed=worlds.own_seed(visit.client) is not None,
        faults=await visit.all(FAULTS),
        effects=list(Effect),
        paths=sorted(IMPLEMENTED),
        snapshots=await visit.all(SNAPSHOTS),
        done=await visit.recorded(visit.asked("done")),
    )


async def set_clock(visit: Visit) -> Response:
    return await _order(visit, "/clock", {"now": visit.given("now")})


async def advance_clock(visit: Visit) -> Response:
    # A field that is no number is told of by the operation.
    text, unit = visit.given("amount"), visit.given("unit")
    return await _order(visit, "/clock/advance", {unit: int(text) if text.isdecimal() else text})


async def run_clock(visit: Visit) -> Response:
    return await _order(visit, "/clock/run", {})


async def set_seed(visit: Visit) -> Response:
    return await _order(visit, "/seed", {"seed": visit.given("seed") or None})


async def add_fault(visit: Visit) -> Response:
    texts = ("path", "item_id", "error_code", "webhook_code")
    fields: dict[str, Any] = {name: visit.given(name) for name in texts if visit.given(name)}
    for name in ("times", "seconds"):
        text = visit.given(name)
        if text:
            fields[name] = int(text) if text.isdecimal() else text
    return await _order(visit, "/faults", {"effect": visit.given("effect"), **fields})


async def remove_fault(visit: Visit) -> Response:
    return await _order(visit, "/faults/remove", {"fault_id": visit.given("fault_id")})


async def clear_faults(visit: Visit) -> Response:
    return await _order(visit, "/faults/clear", {})


async def save_snapshot(visit: Visit) -> Response:
    return await _order(visit, "/snapshots", {"name": visit.given("name")})


async def restore_snapshot(visit: Visit) -> Response:
    return await _order(visit, "/snapshots/restore", {"name": visit.given("name")})


async def remove_snapshot(visit: Visit) -> Response:
    return await _order(visit, "/snapshots/remove", {"name": visit.given("name")})


async def _order(visit: Visit, path: str, fields: dict[str, Any]) -> Response:
    return visit.done("/world", await visit.perform(_PREFIX + path, fields))
