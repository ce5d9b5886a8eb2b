"""The whole of a client's world, and snapshots of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from treadle.client.connection import Group
from treadle.control.answers import (
    SnapshotDetails,
    SnapshotsChangedResponse,
    SnapshotsGetResponse,
    SnapshotsSaveResponse,
    StateGetResponse,
    StateImportResponse,
    StateResetResponse,
)

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True


class State(Group):
    def get(self) -> dict[str, Any]:
        """The client's world as a document that a file can hold."""
        state: dict[str, Any] = self._connection.read(
            "/treadle/sandbox/state", StateGetResponse
        ).state
        return state

    def load(self, state: Mapping[str, Any], *, new_ids: bool = False) -> StateImportResponse:
        """Put the world of a document in the place of the client's; answers its new tokens."""
        return self._connection.order(
            "/treadle/sandbox/state", StateImportResponse, state=state, new_ids=new_ids
        )

    def reset(self) -> None:
        """Empty the client's world, its clock and its seed included."""
        self._connection.order("/treadle/sandbox/state/reset", StateResetResponse)


class Snapshots(Group):
    def save(self, name: str) -> SnapshotDetails:
        """Save the client's world under a name, in the place of what was saved under it."""
        return self._connection.order(
            "/treadle/sandbox/snapshots", SnapshotsSaveResponse, name=name
        ).snapshot

    def list(self) -> Sequence[SnapshotDetails]:
        """The client's snapshots, by name."""
        return self._connection.read("/treadle/sandbox/snapshots", SnapshotsGetResponse).snapshots

    def restore(self, name: str) -> None:
        """Put a snapshot in the place of the client's world."""
        self._connection.order(
            "/treadle/sandbox/snapshots/restore", SnapshotsChangedResponse, name=name
        )

    def remove(self, name: str) -> None:
        """Remove a snapshot; the world stays as it is."""
        self._connection.order(
            "/treadle/sandbox/snapshots/remove", SnapshotsChangedResponse, name=name
        )
