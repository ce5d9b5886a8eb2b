"""The API as plain JSON over HTTP, for tests that look closer than an SDK lets them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support import preloaded
from tests.support.sdk import CLIENT_ID, SECRET
from tests.support.server import Server

INSTITUTION = "ins_109508"
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    status: int
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        body = json.loads(self.raw)
        assert isinstance(body, dict)
        return body

    @property
    def code(self) -> str:
        """The error code; "OK" for an answer that is none."""
        return "OK" if self.status == 200 else str(self.body["error_code"])

    def __getitem__(self, name: str) -> Any:
        assert self.status == 200, self.raw.decode()
        return self.body[name]


@dataclass(frozen=True)
class Linked:
    """An Item and what its access token shows of it."""

    item_id: str
    public_token: str
    access_token: str
    # The ids of its accounts, by subtype.
    accounts: dict[str, str]

    @property
    def checking(self) -> str:
        return self.accounts["checking"]


class Api:
    """One client on one connection; of use to one thread."""

    def __init__(
        self,
        url: str,
        client_id: str = CLIENT_ID,
        secret: str = SECRET,
        *,
        keep_alive: bool = True,
    ) -> None:
        """Without `keep_alive` each request has a connection, and so perhaps a worker, of its
        own."""
        self.url = url
        self._credentials = {"client_id": client_id, "secret": secret}
        self._keep_alive = keep_alive
        address = urlsplit(url)
        assert address.hostname is not None
        self._connection = http.client.HTTPConnection(
            address.hostname, address.port, timeout=_TIMEOUT_SECONDS
        )

    def post(self, path: str, /, **fields: Any) -> Answer:
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", path, self.body(fields), headers)
        response = self._connection.getresponse()
        answer = Answer(response.status, response.read())
        if not self._keep_alive:
            self._connection.close()
        return answer

    def body(self, fields: dict[str, Any]) -> bytes:
        return json.dumps(self._credentials | fields).encode()

    def close(self) -> None:
        self._connection.close()

    def public_token(self, *products: str, **options: Any) -> str:
        answer = self.post(
            "/sandbox/public_token/create",
            institution_id=INSTITUTION,
            initial_products=list(products or ("auth",)),
            options=options,
        )
        token: str = answer["public_token"]
        return token

    def exchange(self, public_token: str) -> Answer:
        return self.post("/item/public_token/exchange", public_token=public_token)

    def link(self, *products: str, **options: Any) -> Linked:
        """A new Item, its public token exchanged."""
        public_token = self.public_token(*products, **options)
        exchanged = self.exchange(public_token)
        access_token = exchanged["access_token"]
        accounts = self.post("/accounts/get", access_token=access_token)["accounts"]
        by_subtype = {one["subtype"]: one["account_id"] for one in reversed(accounts)}
        return Linked(exchanged["item_id"], public_token, access_token, by_subtype)

    def mint(self, linked: Linked, processor: str = "dwolla") -> str:
        """A processor token for the Item's checking account."""
        answer = self.post(
            "/processor/token/create",
            access_token=linked.access_token,
            account_id=linked.checking,
            processor=processor,
        )
        token: str = answer["processor_token"]
        return token

    def permit(self, processor_token: str, *products: str) -> Answer:
        return self.post(
            "/processor/token/permissions/set",
            processor_token=processor_token,
            products=list(products),
        )

    def permissions(self, processor_token: str) -> list[str]:
        answer = self.post("/processor/token/permissions/get", processor_token=processor_token)
        products: list[str] = answer["products"]
        return products

    def redeem(self, processor_token: str, what: str = "account") -> Answer:
        return self.post(f"/processor/{what}/get", processor_token=processor_token)

    def volley(self, requests: list[tuple[str, dict[str, Any]]]) -> list[Answer]:
        """Send requests as close to the same time as can be, each on its own connection.

        All but the last byte of each goes ahead; then the last bytes follow together.
        """
        address = urlsplit(self.url)
        with contextlib.ExitStack() as stack:
            lines: list[tuple[socket.socket, bytes]] = []
            for path, fields in requests:
                line = socket.create_connection((address.hostname, address.port), _TIMEOUT_SECONDS)
                stack.enter_context(line)
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                body = self.body(fields)
                head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
                head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                line.sendall(head.encode() + body[:-1])
                lines.append((line, body[-1:]))
            for line, last in lines:
                line.sendall(last)
            return [read_answer(line) for line, _ in lines]


def read_answer(line: socket.socket) -> Answer:
    response = http.client.HTTPResponse(line)
    response.begin()
    return Answer(response.status, response.read())


def run_cli(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Treadle's on a server's data."""
    database: Sequence[str] = ()
    if "--database" in server.args:
        database = ("--database", server.args[server.args.index("--database") + 1])
    return preloaded.run(*arguments, "--data", str(server.data), *database)


def cli(server: Server, *arguments: str) -> str:
    """Run a command that is to succeed, and return what it prints."""
    result = run_cli(server, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def new_client(server: Server, *options: str) -> tuple[str, str]:
    """A further client's id and secret, made on the command line."""
    lines = dict(
        line.split() for line in cli(server, "client", "create", "Shop", *options).splitlines()
    )
    return lines["client_id"], lines["secret"]
