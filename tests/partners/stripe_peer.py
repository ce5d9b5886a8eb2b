"""A peer on loopback that takes token requests as strictly as Stripe's typed parameters allow."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self, get_args, get_type_hints
from urllib.parse import parse_qsl

from stripe import RequestOptions
from stripe.params import TokenCreateParams, TokenCreateParamsBankAccount

FIELDS = get_type_hints(TokenCreateParamsBankAccount)
REQUIRED = TokenCreateParamsBankAccount.__required_keys__
TOP_LEVEL = frozenset(TokenCreateParams.__annotations__) - frozenset(RequestOptions.__annotations__)


def literals(hint: Any) -> frozenset[str]:
    """Collect the values a typed parameter names; empty when it is any text."""
    if isinstance(hint, type):
        return frozenset()
    parts = get_args(hint)
    named = {part for part in parts if isinstance(part, str)}
    return frozenset(named).union(*(literals(part) for part in parts if not isinstance(part, str)))


@dataclass
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Seen:
    headers: dict[str, str]
    form: dict[str, str]


def error(status: int, message: str, **more: str) -> Answer:
    body = {"error": {"type": "invalid_request_error", "message": message, **more}}
    return Answer(status, json.dumps(body).encode())


Trouble = Literal["silent", "trickle head", "trickle body", "hang up"]
Play = Callable[[Seen], Answer] | Trouble


class StripePeer:
    """Serves ``POST /v1/tokens`` in a thread; ``play`` replaces the answer, or the lack of one."""

    def __init__(self, secret_key: str) -> None:
        self.secret_key = secret_key
        self.seen: list[Seen] = []
        self.play: Play | None = None
        self.asked = threading.Event()
        self.closing = threading.Event()
        self._kept: dict[str, tuple[dict[str, str], Answer]] = {}
        self._lock = threading.Lock()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                peer.serve(self)

            def do_GET(self) -> None:
                peer.serve(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        pairs = parse_qsl(body.decode(), keep_blank_values=True)
        seen = Seen({k.lower(): v for k, v in handler.headers.items()}, dict(pairs))
        with self._lock:
            self.seen.append(seen)
            play = self.play
            if play is None:
                if handler.command != "POST" or handler.path != "/v1/tokens":
                    answer = error(404, "Unrecognized request URL")
                elif len(pairs) != len(seen.form):
                    answer = error(400, "A parameter is given twice")
                else:
                    answer = self.judge(seen)
            elif callable(play):
                answer = play(seen)
        self.asked.set()
        if play == "silent":
            self.closing.wait(30)
        elif play == "trickle head":
            self.drip(handler, b"HTTP/1.1 200 OK\r\nX-Filler: ")
        elif play == "trickle body":
            self.drip(handler, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        elif play != "hang up":
            handler.send_response(answer.status)
            handler.send_header("Content-Type", answer.content_type)
            handler.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(answer.body)

    def drip(self, handler: BaseHTTPRequestHandler, start: bytes) -> None:
        try:
            handler.wfile.write(start)
            while not self.closing.wait(0.05):
                handler.wfile.write(b" ")
        except OSError:
            pass

    def judge(self, seen: Seen) -> Answer:
        """Answer as Stripe would, refusing what the library's typed parameters do not name."""
        if seen.headers.get("authorization") != f"Bearer {self.secret_key}":
            return error(401, f"Invalid API Key provided: {seen.headers.get('authorization')}")
        if seen.headers.get("content-type") != "application/x-www-form-urlencoded":
            return error(400, "The body is not a form")
        account: dict[str, str] = {}
        for name, value in seen.form.items():
            nested = re.fullmatch(r"bank_account\[(\w+)\]", name)
            if nested and nested[1] in FIELDS:
                account[nested[1]] = value
            elif nested or name not in TOP_LEVEL:
                text = f"Received unknown parameter: {name}"
                return error(400, text, code="parameter_unknown", param=name)
        for name in REQUIRED:
            if not account.get(name):
                param = f"bank_account[{name}]"
                text = f"Missing required param: {param}."
                return error(400, text, code="parameter_missing", param=param)
        for name, value in account.items():
            allowed = literals(FIELDS[name])
            if allowed and value not in allowed:
                return error(400, f"Invalid {name}: must be one of {sorted(allowed)}", param=name)
        key = seen.headers.get("idempotency-key")
        if not key:
            return error(400, "An Idempotency-Key is wanted here")
        form, answer = self._kept.setdefault(key, (seen.form, token(account)))
        if form != seen.form:
            body = {"error": {"type": "idempotency_error", "message": f"Key {key} was used before"}}
            return Answer(400, json.dumps(body).encode())
        return answer


def token(account: dict[str, str]) -> Answer:
    body = {
        "id": f"btok_{secrets.token_hex(12)}",
        "object": "token",
        "type": "bank_account",
        "client_ip": None,
        "created": 1_700_000_000,
        "livemode": False,
        "used": False,
        "bank_account": {
            "id": f"ba_{secrets.token_hex(12)}",
            "object": "bank_account",
            "bank_name": "STRIPE TEST BANK",
            "fingerprint": secrets.token_hex(8),
            "last4": account["account_number"][-4:],
            "status": "new",
            **{k: v for k, v in account.items() if k != "account_number"},
        },
    }
    return Answer(200, json.dumps(body).encode())
