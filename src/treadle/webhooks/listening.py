"""Following a client's webhooks on a running server, and forwarding them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import click
import httpx
import msgspec

from treadle import __version__
from treadle.clock import stopwatch, wall_second, wall_text
from treadle.webhooks.outbox import name_of
from treadle.webhooks.signing import EVENT_ID_HEADER, SIGNATURE_HEADER
from treadle.webhooks.verification import VerificationFailed, verify

_WAIT_SECONDS = 5
_TIMEOUT_SECONDS = 15.0
_RETRY_SECONDS = 1.0
_FORWARD_TIMEOUT_SECONDS = 10.0
_MICROSECONDS = 1_000_000


class ListeningFailed(Exception):
    """The server cannot be listened to; the message says why."""


class Listener:
    def __init__(self, url: str, client_id: str, secret: str, forward_to: str | None) -> None:
        headers = {"Plaid-Client-Id": client_id, "Plaid-Secret": secret}
        # Proxies of the environment are not for what runs on this machine.
        self._server = httpx.Client(
            base_url=url, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False
        )
        self._receiver = httpx.Client(timeout=_FORWARD_TIMEOUT_SECONDS, trust_env=False)
        self._forward_to = forward_to
        self._keys: dict[str, dict[str, Any]] = {}

    def run(self, say: Callable[[str], None]) -> None:
        """Tell a line for each attempt and each webhook forwarded, until interrupted.

        Raises ListeningFailed when the server is not there at the start, or refuses.
        """
        after = self._ask("/treadle/webhooks/get")["next"]
        while True:
            try:
                answer = self._ask("/treadle/webhooks/get", after=after, wait_seconds=_WAIT_SECONDS)
            except httpx.TransportError:
                # It may be on its way up again.
                time.sleep(_RETRY_SECONDS)
                continue
            after = answer["next"]
            for line in self._lines(answer):
                say(line)

    def _lines(self, answer: dict[str, Any]) -> Iterator[str]:
        for signed in answer["owed"] if self._forward_to else ():
            yield _line(signed["webhook"], *self._forward(self._forward_to, signed))
        for attempt in answer["attempts"]:
            accepted = attempt["status"] == 200
            result = f"attempt {attempt['number']}  {attempt['status'] or attempt['error']}"
            if attempt["state"] in ("given_up", "refused"):
                result += f", {attempt['state'].replace('_', ' ')}"
            yield _line(attempt, f"{result}  {attempt['milliseconds']} ms", accepted)

    def _forward(self, url: str | None, signed: dict[str, Any]) -> tuple[str, bool]:
        """What came of forwarding one webhook, and whether that is well."""
        webhook, signature = signed["webhook"], signed["signature"]
        body = webhook["body"].encode()
        try:
            verify(signature, body, self._find_key, wall_second())
        except VerificationFailed as failure:
            return f"not forwarded: {failure}", False
        started = stopwatch()
        try:
            status = self._receiver.post(
                str(url),
                content=body,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": f"Treadle/{__version__}",
                    SIGNATURE_HEADER: signature,
                    EVENT_ID_HEADER: webhook["event_id"],
                },
            ).status_code
        except httpx.TransportError as error:
            return f"not forwarded: {str(error) or type(error).__name__}", False
        milliseconds = round((stopwatch() - started) * 1_000)
        return f"forwarded  {status}  {milliseconds} ms", status == 200

    def _find_key(self, kid: str) -> dict[str, Any] | None:
        if kid not in self._keys:
            self._keys[kid] = self._ask("/webhook_verification_key/get", key_id=kid)["key"]
        return self._keys[kid]

    def _ask(self, path: str, **fields: Any) -> dict[str, Any]:
        response = self._server.post(path, json=fields)
        try:
            answer: dict[str, Any] = msgspec.json.decode(response.content)
        except msgspec.DecodeError:
            raise ListeningFailed(f"{self._server.base_url} is no Treadle server") from None
        if response.status_code != 200:
            raise ListeningFailed(f"the server refuses: {answer.get('error_message')}")
        return answer


def _line(webhook: dict[str, Any], result: str, good: bool) -> str:
    at = wall_text(webhook["recorded_at"] // _MICROSECONDS)
    result = click.style(result, fg="green" if good else "red")
    return f"{at}  {name_of(webhook['body'])}  item {webhook['item_id'] or '-'}  {result}"
