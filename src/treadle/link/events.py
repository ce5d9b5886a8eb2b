"""What a session tells of itself: one log of events, shown in the several ways the API has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from treadle.clock import to_datetime
from treadle.link.protocol import PageEvent
from treadle.wire.common import LinkEvent, LinkEventMetadata

if TYPE_CHECKING:
    from treadle.ids import Ids

MILLISECOND = 1_000

# The keys of a page's `metadata`, all of them always there.
_KEYS = (
    "account_number_mask",
    "error_code",
    "error_message",
    "error_type",
    "exit_status",
    "institution_id",
    "institution_name",
    "institution_search_query",
    "is_update_mode",
    "link_session_id",
    "match_reason",
    "mfa_type",
    "request_id",
    "routing_number",
    "selection",
    "timestamp",
    "view_name",
)
# What a page is told at once; it hears of the rest when Link ends.
_LIVE = frozenset({"OPEN"})
_WIRE_KEYS = frozenset(LinkEventMetadata.__struct_fields__)


class Told(msgspec.Struct):
    """An event as the state machine tells it."""

    name: str
    metadata: dict[str, str]


class Event(Told):
    """An event as it is kept."""

    event_id: str
    # In microseconds since the Unix epoch.
    at: int
    request_id: str


class Log(msgspec.Struct):
    """The events of a session, in the order in which they happened."""

    events: list[Event] = []
    # A page that was opened anew, on the return from a bank, hears of those from here on.
    opened_at: int = 0

    def add(self, told: list[Told], now: int, ids: Ids, request_id: str) -> None:
        """Each event is a millisecond later than the one before: apps sort them by time."""
        at = now // MILLISECOND * MILLISECOND
        for one in told:
            if self.events:
                at = max(at, self.events[-1].at + MILLISECOND)
            event_id = ids.uuid("link_event")
            self.events.append(Event(one.name, one.metadata, event_id, at, request_id))

    def for_page(self, session_id: str, *, all_told: bool) -> list[PageEvent]:
        """Those that a page may be told by now."""
        told = self.shown(session_id)[self.opened_at :]
        return [one for one in told if all_told or one.event_name in _LIVE]

    def shown(self, session_id: str) -> list[PageEvent]:
        """All of them, as a page hears them."""
        return [
            PageEvent(
                event_id=one.event_id,
                event_name=one.name,
                metadata=_page_metadata(one, session_id),
            )
            for one in self.events
        ]

    def for_wire(self) -> list[LinkEvent]:
        """As `/link/token/get` and webhooks have them: the newest first."""
        return [
            LinkEvent(
                event_name=one.name,
                timestamp=(to_datetime(one.at).replace(microsecond=0)).strftime(_SECONDS),
                event_id=one.event_id,
                event_metadata=LinkEventMetadata(
                    request_id=one.request_id,
                    **{key: value for key, value in one.metadata.items() if key in _WIRE_KEYS},
                ),
            )
            for one in reversed(self.events)
        ]


_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


def _page_metadata(event: Event, session_id: str) -> dict[str, str | None]:
    known = {
        **event.metadata,
        "link_session_id": session_id,
        "request_id": event.request_id,
        "timestamp": _milliseconds(event.at),
    }
    return {key: known.get(key) for key in _KEYS}


def _milliseconds(instant: int) -> str:
    moment = to_datetime(instant)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{moment.microsecond // MILLISECOND:03d}Z"
