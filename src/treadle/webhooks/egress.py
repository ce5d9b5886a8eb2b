"""Which addresses webhooks may be sent to.

A name is resolved, and what it resolved to is judged, where the connection is made: see
`client.py`. So no notation of an address, and no name that changes what it stands for, gets by.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from threading import Thread

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# From a host's name to its addresses. Raises OSError when it has none.
Resolve = Callable[[str], Awaitable[list[str]]]
# Why an address must not be reached; None when it may be.
Rule = Callable[[Address], str | None]

_RESOLVING_THREADS = 16

_GLOBAL_UNICAST = ip_network("2000::/3")
# RFC 6052: an IPv4 address is in the last 32 bits.
_NAT64 = ip_network("64:ff9b::/96")
# What the registries of special-purpose addresses (RFC 6890) hold, and clouds' own services. The
# standard library has such a list, but another one in each version.
_SPECIAL: dict[Network, str] = {
    ip_network(network): what
    for what, networks in {
        "unspecified": "0.0.0.0/8",
        "loopback": "127.0.0.0/8",
        "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16",
        "behind a carrier's NAT": "100.64.0.0/10",
        "link-local": "169.254.0.0/16",
        "multicast": "224.0.0.0/4",
        "for protocols": "192.0.0.0/24 192.88.99.0/24 2001::/23",
        "for documentation": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        "for benchmarks": "198.18.0.0/15",
        "reserved": "240.0.0.0/4",
        "a cloud's own service": "168.63.129.16/32",
    }.items()
    for network in networks.split()
}


class AddressRefused(Exception):
    """The receiver is where webhooks must not go; the message says why."""


class NameNotFound(Exception):
    """The receiver's name has no address."""


class Egress:
    """Finds where a host is, and refuses what the rule does."""

    def __init__(self, rule: Rule, resolve: Resolve | None = None) -> None:
        self._rule = rule
        self._resolve = resolve or SystemResolver()

    async def addresses(self, host: str) -> list[Address]:
        """Where a connection to the host may be made.

        Raises AddressRefused when a single one of its addresses must not be reached, and
        NameNotFound when the host has none.
        """
        try:
            found = [ip_address(text) for text in await self._resolve(host)]
        except OSError as error:
            raise NameNotFound(host) from error
        for address in found:
            reason = self._rule(address)
            if reason is not None:
                raise AddressRefused(f"{address} is {reason}")
        return found


class SystemResolver:
    """Asks the operating system, on threads of its own: a name may take long to be found.

    They are daemons, so that a program that ends does not wait for names.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_RESOLVING_THREADS)
        self._asked: dict[str, asyncio.Task[list[str]]] = {}

    async def __call__(self, host: str) -> list[str]:
        # All who want a name wait for one look-up, so a name takes up one thread at most.
        asked = self._asked.get(host)
        if asked is None:
            asked = self._asked[host] = asyncio.create_task(self._look_up(host))
            asked.add_done_callback(lambda done: self._forget(host, done))
        return await asyncio.shield(asked)

    async def _look_up(self, host: str) -> list[str]:
        async with self._places:
            loop = asyncio.get_running_loop()
            found: asyncio.Future[list[str]] = loop.create_future()
            Thread(target=_look_up, args=(host, loop, found), daemon=True).start()
            return await found

    def _forget(self, host: str, done: asyncio.Task[list[str]]) -> None:
        del self._asked[host]
        if not done.cancelled():
            # Those who asked may have left, and then nobody else looks at a failure.
            done.exception()


def _look_up(host: str, loop: asyncio.AbstractEventLoop, found: asyncio.Future[list[str]]) -> None:
    """What a thread does."""
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        settle: Callable[[], None] = partial(found.set_result, addresses)
    except (OSError, UnicodeError) as error:
        settle = partial(found.set_exception, OSError(f"{host!r} cannot be found: {error}"))

    def tell() -> None:
        if not found.done():
            settle()

    # The loop may have ended by now.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(tell)


def anywhere(address: Address) -> str | None:
    """The rule of the sandbox."""
    return None


def loopback_only(address: Address) -> str | None:
    plain = _embedded(address) or address
    return None if plain.is_loopback else "not this machine"


def public_only(networks: Iterable[str] = ()) -> Rule:
    """The rule of production: what is public, and the networks that the operator allows."""
    allowed = [ip_network(network) for network in networks]

    def rule(address: Address) -> str | None:
        plain = _embedded(address) or address
        if any(plain in network or address in network for network in allowed):
            return None
        return _why_not_public(plain)

    return rule


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that traffic to an IPv6 address may end at."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None


def _why_not_public(address: Address) -> str | None:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "no global unicast address"
    return next((what for network, what in _SPECIAL.items() if address in network), None)
