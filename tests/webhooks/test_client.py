"""The HTTP client of the delivery, against receivers that speak HTTP in their own ways."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from treadle.webhooks.egress import Egress, anywhere
from treadle.webhooks.sending import Outcome, Sender

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """A receiver that answers each request with the same bytes, then perhaps goes on or leaves."""

    def __init__(self, answer: bytes, then: str = "listens") -> None:
        self.answer = answer
        self.then = then
        self.connections = 0
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                writer.write(self.answer)
                if self.then == "leaves":
                    break
                while self.then == "talks":
                    writer.write(b"x" * 65_536)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


def post(peer: Peer, count: int = 1, pause: float = 0, path: str = "/hook") -> list[Outcome]:
    async def run() -> list[Outcome]:
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sender = Sender(Egress(anywhere), 3.0)
        outcomes = []
        for _ in range(count):
            headers = {"Content-Type": "application/json"}
            url = f"http://127.0.0.1:{port}{path}"
            outcomes.append(await sender.post(url, b'{"a": 1}', headers))
            await asyncio.sleep(pause)
        sender.close()
        server.close()
        return outcomes

    return asyncio.run(run())


def test_a_request_is_what_it_should_be() -> None:
    peer = Peer(OK)
    post(peer, path="/a b/\u00e4?x=1&y=%20#there")
    [request] = peer.requests
    head, body = request.split(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /a%20b/%C3%A4?x=1&y=%20 HTTP/1.1"
    assert body == b'{"a": 1}'
    names = [line.partition(":")[0] for line in headers]
    assert names == ["Host", "User-Agent", "Accept", "Content-Type", "Content-Length"]


def test_a_connection_is_used_again() -> None:
    peer = Peer(OK)
    assert [one.status for one in post(peer, 5)] == [200] * 5
    assert (peer.connections, len(peer.requests)) == (1, 5)


def test_an_idle_connection_is_left_before_the_receiver_leaves_it() -> None:
    peer = Peer(OK)
    assert [one.status for one in post(peer, 2, pause=1.2)] == [200] * 2
    assert peer.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        # It announces a longer life than it has.
        OK,
    ],
)
def test_a_receiver_that_leaves_is_called_anew(answer: bytes) -> None:
    peer = Peer(answer, "leaves")
    assert [one.status for one in post(peer, 3, pause=0.05)] == [200] * 3
    assert peer.connections == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
    ],
)
def test_answers_come_in_many_forms(answer: bytes) -> None:
    peer = Peer(answer)
    assert [one.status for one in post(peer, 2)] == [200] * 2
    assert peer.connections == 1


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 2", b"\x00" * 100])
def test_what_is_no_answer_is_none(answer: bytes) -> None:
    [outcome] = post(Peer(answer, "leaves"))
    assert (outcome.status, outcome.error) == (None, "connection_broken")


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    peer = Peer(b"HTTP/1.1 200 OK\r\n\r\n", "talks")
    [outcome] = post(peer)
    assert outcome.status == 200
    assert outcome.milliseconds < 2_500


def test_a_body_that_never_comes_does_not_undo_the_status() -> None:
    outcomes = post(Peer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), 2)
    assert [one.status for one in outcomes] == [200, 200]
    assert all(900 < one.milliseconds < 2_500 for one in outcomes)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http:///a", "http://[::1/", "/hook", ""])
def test_what_is_no_address_is_said(url: str) -> None:
    async def run() -> Outcome:
        return await Sender(Egress(anywhere), 1.0).post(url, b"", {})

    assert asyncio.run(run()).error == "invalid_url"
