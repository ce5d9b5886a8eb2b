"""Snapshots of the client's world: saved under a name, and put back in a moment."""

from __future__ import annotations

from typing import Annotated

import msgspec

from treadle.call import ClientCall
from treadle.clock import to_datetime
from treadle.control.answers import (
    SnapshotDetails,
    SnapshotsChangedResponse,
    SnapshotsGetResponse,
    SnapshotsSaveResponse,
)
from treadle.control.asking import Order, Query
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import own_operation
from treadle.state import snapshots
from treadle.state.snapshots import Listed

_MAX_NAME_LENGTH = 64
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=_MAX_NAME_LENGTH)]


class SnapshotsGetRequest(Query, kw_only=True):
    """Nothing is asked."""


class SnapshotsSaveRequest(Order, kw_only=True):
    """The name to save under; what was saved under it before is gone."""

    name: _Name


class SnapshotsRestoreRequest(Order, kw_only=True):
    """The snapshot to put back."""

    name: _Name


class SnapshotsRemoveRequest(Order, kw_only=True):
    """The snapshot to remove."""

    name: _Name


@own_operation("/treadle/sandbox/snapshots", ClientGate(), method="GET", takes_turn=False)
async def get_sandbox_snapshots(
    call: ClientCall, request: SnapshotsGetRequest
) -> SnapshotsGetResponse:
    """The client's snapshots, by name."""
    found = await call.all(snapshots.SNAPSHOTS, client_id=call.client.client_id)
    return SnapshotsGetResponse(
        snapshots=[_details(one) for one in found], request_id=call.request_id
    )


@own_operation("/treadle/sandbox/snapshots", ClientGate(), replaces_world=True)
async def post_sandbox_snapshots(
    call: ClientCall, request: SnapshotsSaveRequest
) -> SnapshotsSaveResponse:
    """Save the client's world under a name."""
    if not _ALPHABET.issuperset(request.name):
        problem = f"name must be 1 to {_MAX_NAME_LENGTH} letters, digits, dots, hyphens and _"
        raise errors.INVALID_FIELD(problem=problem)
    saved = await snapshots.save_snapshot(call, request.name)
    return SnapshotsSaveResponse(snapshot=_details(saved), request_id=call.request_id)


@own_operation("/treadle/sandbox/snapshots/restore", ClientGate(), replaces_world=True)
async def post_sandbox_snapshots_restore(
    call: ClientCall, request: SnapshotsRestoreRequest
) -> SnapshotsChangedResponse:
    """Put a snapshot in the place of the client's world."""
    await snapshots.restore_snapshot(call, request.name)
    return SnapshotsChangedResponse(request_id=call.request_id)


@own_operation("/treadle/sandbox/snapshots/remove", ClientGate())
async def post_sandbox_snapshots_remove(
    call: ClientCall, request: SnapshotsRemoveRequest
) -> SnapshotsChangedResponse:
    """Remove a snapshot; the world stays as it is."""
    await snapshots.remove_snapshot(call, request.name)
    return SnapshotsChangedResponse(request_id=call.request_id)


def _details(listed: Listed) -> SnapshotDetails:
    return SnapshotDetails(
        name=listed.name,
        items=listed.item_count,
        size_bytes=listed.size,
        created_at=to_datetime(listed.created_at),
    )
