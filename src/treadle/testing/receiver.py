"""A receiver of webhooks on loopback, which verifies each as an app should."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from treadle.client import Refused, Treadle
from treadle.clock import wall_second
from treadle.webhooks.signing import EVENT_ID_HEADER, SIGNATURE_HEADER
from treadle.webhooks.verification import VerificationFailed, verify

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True

_MAX_BODY_BYTES = 1_048_576
_POLL_SECONDS = 0.02


class NotReceived(AssertionError):
    """A webhook did not come in time; the message tells which did."""


class Event(msgspec.Struct, frozen=True, eq=False):
    """A webhook that the server signed."""

    webhook_type: str
    webhook_code: str
    item_id: str | None
    # The same at each attempt.
    event_id: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.webhook_type}:{self.webhook_code} for Item {self.item_id or '-'}"


class Receiver:
    """Answers 200 to what the server signed and 400 to anything else."""

    def __init__(self, server: Treadle) -> None:
        """The keys for verifying come from `server`."""
        self._treadle = server
        self._keys: dict[str, dict[str, Any]] = {}
        # Every webhook that came, in order.
        self.events: list[Event] = []
        # Why others were not believed.
        self.refusals: list[str] = []
        # Those that nobody has waited for yet.
        self._unclaimed: list[Event] = []
        self._changed = threading.Condition()
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/webhook"

    def __repr__(self) -> str:
        return f"Receiver({self.url!r}, {len(self.events)} events)"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for(
        self,
        webhook_type: str,
        webhook_code: str,
        *,
        item_id: str | None = None,
        timeout: float = 10.0,
    ) -> Event:
        """The next webhook of this type and code, of one Item if that is named.

        Each is returned once, in the order of arrival. Raises NotReceived after `timeout` seconds.
        """
        wanted = (webhook_type, webhook_code)

        def find() -> Event | None:
            for event in self._unclaimed:
                named = item_id in (None, event.item_id)
                if named and (event.webhook_type, event.webhook_code) == wanted:
                    return event
            return None

        with self._changed:
            event = self._changed.wait_for(find, timeout)
            if event is None:
                about = ":".join(wanted) + (f" for Item {item_id}" if item_id else "")
                raise NotReceived(f"no {about} within {timeout:g} s\n{self._told()}")
            self._unclaimed.remove(event)
            return event

    def _told(self) -> str:
        """What came so far, for a person."""
        lines = [
            f"  {event}" + ("" if event in self._unclaimed else ", waited for before")
            for event in self.events
        ]
        lines += [f"  refused: {refusal}" for refusal in self.refusals]
        return "\n".join([f"What came to {self.url}:", *(lines or ["  nothing"])])

    def take(self, signature: str, event_id: str, body: bytes) -> int:
        """Judge what was sent; the status to answer."""
        try:
            verify(signature, body, self._find_key, wall_second())
            event = _event(event_id, body)
        except (VerificationFailed, ValueError) as failure:
            with self._changed:
                self.refusals.append(str(failure))
            return 400
        with self._changed:
            self.events.append(event)
            self._unclaimed.append(event)
            self._changed.notify_all()
        return 200

    def _find_key(self, kid: str) -> dict[str, Any] | None:
        if kid not in self._keys:
            try:
                answer = self._treadle.call("/webhook_verification_key/get", key_id=kid)
            except Refused:
                return None
            self._keys[kid] = answer["key"]
        return self._keys[kid]


def _event(event_id: str, body: bytes) -> Event:
    told = msgspec.json.decode(body, type=dict[str, Any])
    return Event(
        told.get("webhook_type", ""),
        told.get("webhook_code", ""),
        told.get("item_id"),
        event_id,
        told,
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # A connection on which nothing comes is given up after so many seconds.
    timeout = 10

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        size = int(length) if length.isdecimal() else 0
        # What is too large is left unread, and so cannot be what was signed.
        body = self.rfile.read(size) if size <= _MAX_BODY_BYTES else b""
        signature = self.headers.get(SIGNATURE_HEADER, "")
        event_id = self.headers.get(EVENT_ID_HEADER, "")
        self.send_response(self.server.receiver.take(signature, event_id, body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """What came is told where it is missed."""
