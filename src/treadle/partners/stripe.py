"""Makes Stripe bank account tokens (``btok_…``) out of account and routing numbers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import requests
    from stripe.params import TokenCreateParamsBankAccount

TEST_ACCOUNT: Final = ("000123456789", "110000000")
"""Number and routing number of the account that Stripe documents for test mode."""

_TOKEN = re.compile(r"btok_[A-Za-z0-9_]{1,200}")
_HEADER_VALUE = re.compile(r"[!-~]{1,255}")
_SHORTEST_HIDDEN = 4


@dataclass(frozen=True, slots=True)
class BankAccount:
    """The account a token is made for; its repr shows neither the numbers nor the holder."""

    country: str
    currency: str
    account_number: str = field(repr=False)
    routing_number: str = field(repr=False)
    account_holder_name: str = field(repr=False)
    account_holder_type: Literal["individual", "company"]
    account_type: Literal["checking", "savings"]


class StripeRefused(Exception):
    """Stripe will not make a token for this account; ``message`` is Stripe's own text."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class StripeNotEnabled(Exception):
    """Stripe rejects the secret key, or the key may not make tokens."""


class StripeUnavailable(Exception):
    """Stripe gave no usable answer; asking again with the same idempotency key is safe."""


def key_environment(secret_key: str) -> Literal["sandbox", "production"] | None:
    """Name the environment a Stripe secret or restricted key belongs to."""
    if secret_key.startswith(("sk_test_", "rk_test_")):
        return "sandbox"
    if secret_key.startswith(("sk_live_", "rk_live_")):
        return "production"
    return None


class StripeTokens:
    """Asks Stripe for tokens, at most ``concurrency`` at a time.

    ``timeout_seconds`` bounds the whole of one call, the wait for a free thread included.
    """

    def __init__(
        self,
        base_url: str = "https://api.stripe.com",
        timeout_seconds: float = 10.0,
        concurrency: int = 8,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="stripe")

    async def create(self, secret_key: str, account: BankAccount, idempotency_key: str) -> str:
        """Return the id of a new token; the same idempotency key gives the same token."""
        if not _HEADER_VALUE.fullmatch(idempotency_key):
            raise ValueError("an idempotency key is 1 to 255 printable ASCII characters")
        if not _HEADER_VALUE.fullmatch(secret_key):
            raise StripeNotEnabled("the secret key is not one that Stripe could have issued")
        line = _Line(time.monotonic() + self._timeout_seconds)
        answer: str | Exception
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._ask, line, secret_key, account, idempotency_key
                )
        except TimeoutError:
            answer = StripeUnavailable("Stripe did not answer in time")
        finally:
            line.cut()
        if isinstance(answer, str):
            return answer
        raise answer

    def _ask(
        self, line: _Line, secret_key: str, account: BankAccount, idempotency_key: str
    ) -> str | Exception:
        # Failures are returned rather than raised: an exception raised while one of the library's
        # is being handled would carry it, and with it Stripe's answer, as its context.
        try:
            stripe = _library()
            session = _session(line)
        except Exception:
            return StripeUnavailable("the Stripe library cannot be loaded")
        details: TokenCreateParamsBankAccount = {
            "country": account.country,
            "currency": account.currency,
            "account_number": account.account_number,
            "routing_number": account.routing_number,
            "account_holder_name": account.account_holder_name,
            "account_holder_type": account.account_holder_type,
            "account_type": account.account_type,
        }
        try:
            client = stripe.StripeClient(
                secret_key,
                base_addresses={"api": self._base_url},
                max_network_retries=0,
                http_client=stripe.RequestsClient(timeout=line.seconds_left(), session=session),
            )
            token = client.v1.tokens.create(
                {"bank_account": details}, {"idempotency_key": idempotency_key}
            )
            token_id: object = token.id
            if token.object == "token" and isinstance(token_id, str) and _TOKEN.fullmatch(token_id):
                return token_id
        except stripe.APIConnectionError:
            return StripeUnavailable("Stripe cannot be reached")
        except stripe.StripeError as error:
            hidden = (secret_key, account.account_number, account.routing_number)
            return _failure(stripe, error, hidden)
        except Exception:
            return StripeUnavailable("Stripe's answer cannot be read")
        finally:
            session.close()
        return StripeUnavailable("Stripe's answer is not a bank account token")


def _failure(stripe: Any, error: Any, hidden: tuple[str, ...]) -> Exception:
    """Sort an error answer of Stripe's."""
    status = error.http_status
    message = _message(error.json_body)
    if message is None:
        return StripeUnavailable("Stripe's answer cannot be read")
    if status in (401, 403):
        return StripeNotEnabled("Stripe rejects the secret key")
    # A rate limit can come as a 400, and a clash of idempotency keys as a 400 or a 409:
    # neither says anything about the account.
    if isinstance(error, (stripe.RateLimitError, stripe.IdempotencyError)) or status == 409:
        return StripeUnavailable("Stripe does not take the request now")
    if isinstance(status, int) and 400 <= status < 500 and message:
        for text in hidden:
            if len(text) >= _SHORTEST_HIDDEN:
                message = message.replace(text, "[redacted]")
        return StripeRefused(message)
    return StripeUnavailable("Stripe failed")


def _message(body: object) -> str | None:
    """Return the text of an error object of Stripe's, None when the body is not one."""
    if not isinstance(body, dict) or not isinstance(body.get("error"), dict):
        return None
    message = body["error"].get("message", "")
    return message if isinstance(message, str) else None


def _library() -> Any:
    """Import the Stripe library and keep it from writing down what it sends and receives.

    The library is slow to import, hence not imported with this module. At debug level it writes
    whole request bodies to its logger, and to standard error where STRIPE_LOG is set. Its
    telemetry keeps an identifier in a file of the home directory.
    """
    import stripe
    import stripe._util

    logging.getLogger("stripe").addFilter(_no_record)
    stripe.log = None
    stripe._util.STRIPE_LOG = None
    stripe.enable_telemetry = False
    return stripe


def _no_record(record: logging.LogRecord) -> bool:
    return False


class _Line:
    """The connections of one call, which can be cut from another thread.

    A socket's own time-out starts again with each byte that arrives, so a peer that sends slowly
    enough is only stopped from outside.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._lock = threading.Lock()
        self._open = True
        self._connections: list[Any] = []
        self._sockets: list[Any] = []

    def seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0 or not self._open:
            raise ConnectionAbortedError("the call has ended")
        return left

    def connecting(self, connection: Any) -> None:
        with self._lock:
            self._connections.append(connection)
        self.seconds_left()

    def connected(self, connection: Any) -> None:
        # A connection forgets its socket once an answer without a length begins.
        with self._lock:
            self._sockets.append(connection.sock)
        self.seconds_left()

    def cut(self) -> None:
        with self._lock:
            self._open = False
            sockets = [*self._sockets, *(connection.sock for connection in self._connections)]
        for each in sockets:
            # None where there is none (any more). During a TLS handshake it is not the socket in
            # use; connected() then ends the call once the handshake is over.
            with contextlib.suppress(OSError, TypeError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)


def _session(line: _Line) -> requests.Session:
    """Make a session whose connections are on the line, and which only ever talks to Stripe."""
    import requests
    import requests.adapters

    class Adapter(requests.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
            pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
            plain: Any = pool.ConnectionCls

            def connect(self: Any) -> None:
                line.connecting(self)
                plain.connect(self)
                line.connected(self)

            pool.ConnectionCls = type("Connection", (plain,), {"connect": connect})
            return pool

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            # A redirect with status 307 or 308 would send the numbers to another host.
            return None

    session = Session()
    session.mount("https://", Adapter())
    session.mount("http://", Adapter())
    # Without an auth of its own a session takes one from a .netrc file in place of the key.
    session.auth = _as_it_is
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
