"""Sending one webhook and seeing what the receiver says to it."""

from __future__ import annotations

import asyncio
import logging
import ssl
from functools import lru_cache

import httpx
import msgspec

from treadle import __version__
from treadle.clock import stopwatch
from treadle.webhooks.client import Client, ConnectionBroken, ConnectionFailed, Origin
from treadle.webhooks.egress import AddressRefused, Egress, NameNotFound

error_log = logging.getLogger("treadle.error")

# No retry can mend these.
_HOPELESS = frozenset({"address_refused", "invalid_url"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Outcome(msgspec.Struct, frozen=True):
    """What came of one attempt: a status or, where there is none, why."""

    status: int | None
    error: str | None
    milliseconds: int

    @property
    def accepted(self) -> bool:
        """Only 200 is documented as success."""
        return self.status == 200

    @property
    def taken(self) -> bool:
        """Whether the receiver says that it accepted, in whichever way."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def hopeless(self) -> bool:
        return self.error in _HOPELESS

    @property
    def timed_out(self) -> bool:
        return self.error == "timed_out"


class Sender:
    def __init__(
        self,
        egress: Egress,
        timeout_seconds: float,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._client = Client(egress, ssl_context)
        self._timeout_seconds = timeout_seconds

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Outcome:
        """Send exactly these bytes once. Redirects are not followed."""
        started = stopwatch()
        status, error = None, None
        try:
            # The time runs from the resolving of the name to the status.
            async with asyncio.timeout(self._timeout_seconds):
                status = await self._exchange(url, body, headers)
        except TimeoutError:
            error = "timed_out"
        except AddressRefused:
            error = "address_refused"
        except httpx.InvalidURL:
            error = "invalid_url"
        except NameNotFound:
            error = "name_not_found"
        except ssl.SSLError:
            error = "tls_failed"
        except ConnectionFailed:
            error = "connection_failed"
        except ConnectionBroken:
            error = "connection_broken"
        except Exception:
            # Whatever it was, it is an attempt like others and counts towards giving up.
            error_log.exception("a webhook could not be sent")
            error = "failed"
        return Outcome(status, error, round((stopwatch() - started) * 1_000))

    async def _exchange(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        origin, head = _address(url)
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        length = f"Content-Length: {len(body)}\r\n\r\n"
        return await self._client.exchange(
            origin, "".join([head, *lines, length]).encode("ascii") + body
        )

    def close(self) -> None:
        self._client.close()


@lru_cache(maxsize=1_024)
def _address(url: str) -> tuple[Origin, str]:
    """Where a URL points, and how a request to it begins. Raises httpx.InvalidURL."""
    parsed = httpx.URL(url)
    scheme, host = parsed.scheme, parsed.raw_host.decode("ascii")
    if scheme not in _DEFAULT_PORTS or not host:
        raise httpx.InvalidURL("webhooks go to http and https URLs")
    origin = Origin(scheme == "https", host, parsed.port or _DEFAULT_PORTS[scheme])
    target, authority = parsed.raw_path.decode("ascii"), parsed.netloc.decode("ascii")
    return origin, (
        f"POST {target} HTTP/1.1\r\n"
        f"Host: {authority}\r\n"
        f"User-Agent: Treadle/{__version__}\r\n"
        "Accept: */*\r\n"
    )
