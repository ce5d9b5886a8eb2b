"""No secret is written down: not in the data folder, the database, the log or an error."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.partners.stripe_peer import Seen, StripePeer, error
from tests.promises.database import address, query, tables
from tests.support.raw import INSTITUTION, Answer, Api, cli, new_client
from tests.support.server import Server

pytestmark = pytest.mark.slow

SERVER_KEY = "sk_test_51TreadlePlantedServer"
CLIENT_KEY = "sk_test_51TreadlePlantedClient"
TOKEN = re.compile(r"(?:public|access|processor)-sandbox-([0-9a-f-]{36})")
_NUMBERS = ("account", "iban", "account_number", "payment_reference_number")
CUSTOM_NUMBERS = ("730155982446001377", "LN58820047719364", "BR90117755304628")
STRIPE_TOKEN = re.compile(r"btok_[A-Za-z0-9]+")


@dataclass
class Planted:
    """What must not be found, each under a name to report it by."""

    secrets: dict[str, str] = field(default_factory=dict)
    errors: list[Answer] = field(default_factory=list)

    def learn(self, answer: Answer) -> Answer:
        """Take note of every token in a good answer, and of the whole of a bad one."""
        if answer.status != 200:
            self.errors.append(answer)
            return answer
        text = answer.raw.decode()
        for match in TOKEN.finditer(text):
            self.secrets[match[0]] = f"{match[0].partition('-')[0]} token"
        for match in STRIPE_TOKEN.finditer(text):
            self.secrets[match[0]] = "Stripe token"
        self._learn_numbers(answer.body)
        return answer

    def _learn_numbers(self, value: Any) -> None:
        if isinstance(value, list):
            for one in value:
                self._learn_numbers(one)
        elif isinstance(value, dict):
            for name, one in value.items():
                if name in _NUMBERS and isinstance(one, str):
                    self.secrets[one] = "account number"
                self._learn_numbers(one)

    def needles(self) -> Iterator[tuple[str, bytes]]:
        for secret, name in self.secrets.items():
            yield name, secret.encode()
            if match := TOKEN.fullmatch(secret):
                plain = match[1].replace("-", "")
                yield f"{name}'s identifier", match[1].encode()
                yield f"{name}'s identifier without dashes", plain.encode()
                yield f"{name}'s identifier as bytes", bytes.fromhex(plain)
                yield f"{name}'s random part as bytes", bytes.fromhex(plain[:24])
                yield f"{name} in base64", b64encode(secret.encode()).rstrip(b"=")
            else:
                yield f"{name} in hex", secret.encode().hex().encode()

    def found_in(self, haystack: bytes) -> list[str]:
        return [name for name, needle in self.needles() if needle in haystack]


@dataclass
class Aftermath:
    server: Server
    planted: Planted
    item_id: str


def flow(server: Server, credentials: tuple[str, str], planted: Planted) -> str:
    """Everything that a client does, mistakes too; answers the id of an Item it leaves."""
    api = Api(server.url, *credentials)

    def post(path: str, /, **fields: Any) -> Answer:
        return planted.learn(api.post(path, **fields))

    def create() -> str:
        products = {"institution_id": INSTITUTION, "initial_products": ["auth", "identity"]}
        public_token: str = post("/sandbox/public_token/create", **products)["public_token"]
        return public_token

    public_token = create()
    exchanged = post("/item/public_token/exchange", public_token=public_token)
    access_token: str = exchanged["access_token"]
    access = {"access_token": access_token}
    post("/item/public_token/create", **access)
    accounts = post("/accounts/get", **access)["accounts"]
    [checking] = [one["account_id"] for one in accounts if one["subtype"] == "checking"]
    mint = {**access, "account_id": checking}
    answer = post("/processor/token/create", **mint, processor="dwolla")
    processor_token: str = answer["processor_token"]
    processor = {"processor_token": processor_token}
    post("/processor/token/permissions/set", **processor, products=["auth"])
    for what in ("account", "auth", "identity", "balance"):
        post(f"/processor/{what}/get", **processor)
    for what in ("auth", "identity", "item", "accounts/balance", "investments/auth", "liabilities"):
        post(f"/{what}/get", **access)
    hook = "https://shop.example/hook"
    post("/processor/token/webhook/update", **processor, webhook=hook)
    post("/item/webhook/update", **access, webhook=hook)
    post("/processor/stripe/bank_account_token/create", **mint)
    post("/sandbox/processor_token/create", institution_id=INSTITUTION)
    user = {"user_id": "user_good", "auth_token": "pass_good"}
    post("/item/import", institution_id=INSTITUTION, products=["auth"], user_auth=user)
    # Tokens where others belong.
    for token in (public_token, access_token, processor_token):
        post("/item/get", access_token=token + "0")
        post("/item/public_token/exchange", public_token=token)
        post("/processor/auth/get", processor_token=token.replace("a", "b"))
        post("/processor/token/create", **mint, processor=token)
        post("/processor/token/create", **access, account_id=token, processor="dwolla")
        post("/sandbox/public_token/create", institution_id=token, initial_products=["auth"])
        post("/item/get", access_token=[token])
        post("/item/get", access_token=access_token, secret=f"{credentials[1]}0")
        post("/item/get", access_token=access_token, client_id=token)
        post("/item/get", access_token=access_token, unexpected=token)
        post(f"/nowhere/{token}")
    post("/item/get", access_token=None)
    post("/sandbox/item/reset_login", **access)
    post("/processor/auth/get", **processor)
    rotated = post("/item/access_token/invalidate", **access)
    post("/item/get", **access)
    post("/item/remove", access_token=rotated["new_access_token"])
    post("/processor/auth/get", **processor)
    left = post("/item/public_token/exchange", public_token=create())
    for what in ("auth", "investments/auth", "liabilities"):
        post(f"/{what}/get", access_token=left["access_token"])
    link_custom_user(post, planted)
    item_id: str = left["item_id"]
    return item_id


def link_custom_user(post: Callable[..., Answer], planted: Planted) -> None:
    """A user whose password holds numbers, first with a fault that is told."""
    planted.secrets |= dict.fromkeys(CUSTOM_NUMBERS, "account number")
    checking, loan, broker = CUSTOM_NUMBERS
    accounts: list[dict[str, Any]] = [
        {"subtype": "checking", "numbers": {"account": checking, "ach_routing": "011401533"}},
        {"type": "loan", "liability": {"type": "loan", "account_number": loan}},
        {"type": "investment", "numbers": {"account": broker}},
    ]
    for fault in ({"oops": checking}, {}):
        user = {"override_accounts": accounts, **fault}
        created = post(
            "/sandbox/public_token/create",
            institution_id=INSTITUTION,
            initial_products=["transactions"],
            options={"override_username": "user_custom", "override_password": json.dumps(user)},
        )
    exchanged = post("/item/public_token/exchange", public_token=created["public_token"])
    for what in ("auth", "investments/auth", "liabilities"):
        answer = post(f"/{what}/get", access_token=exchanged["access_token"])
        assert any(number in answer.raw.decode() for number in CUSTOM_NUMBERS)
    post("/transactions/sync", access_token=exchanged["access_token"])


def tell_everything(seen: Seen) -> Any:
    """What Stripe would never do: repeat in an error all that it was told."""
    return error(402, f"{seen.headers['authorization']} {json.dumps(seen.form)}")


@pytest.fixture(scope="module")
def aftermath(
    store_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Aftermath]:
    """A server on which the whole flow has run, and what it was trusted with."""
    arguments: list[str] = []
    if store_kind == "postgres":
        create: Callable[[], str] = request.getfixturevalue("postgres_url")
        arguments = ["--database", create()]
    planted = Planted()
    with StripePeer(CLIENT_KEY) as peer:
        arguments += ["--stripe-key", SERVER_KEY, "--stripe-url", peer.url]
        data = tmp_path_factory.mktemp("secrets") / "data"
        direct = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
        server = Server(data, *arguments, env=direct)
        server.start()
        try:
            client_id, secret = new_client(
                server, "--stripe-key", CLIENT_KEY, "--processors", "dwolla"
            )
            planted.secrets |= {SERVER_KEY: "Stripe key", CLIENT_KEY: "Stripe key"}
            planted.secrets |= {secret: "client secret"}
            flow(server, (client_id, secret), planted)
            assert "Stripe token" in planted.secrets.values()
            peer.play = tell_everything
            printed = cli(server, "client", "rotate-secret", client_id)
            secret = printed.split()[-1]
            planted.secrets |= {secret: "client secret"}
            item_id = flow(server, (client_id, secret), planted)
            yield Aftermath(server, planted, item_id)
        finally:
            server.stop()


def test_enough_was_planted(aftermath: Aftermath) -> None:
    names = list(aftermath.planted.secrets.values())
    for name in ("public token", "access token", "processor token"):
        assert names.count(name) >= 4
    assert names.count("account number") >= 6
    assert names.count("client secret") == 2
    codes = {answer.code for answer in aftermath.planted.errors}
    assert codes >= {
        "INVALID_ACCESS_TOKEN",
        "INVALID_PUBLIC_TOKEN",
        "INVALID_PROCESSOR_TOKEN",
        "INVALID_PRODUCT",
        "INVALID_API_KEYS",
        "INVALID_STRIPE_ACCOUNT",
        "ITEM_LOGIN_REQUIRED",
        "ITEM_NOT_FOUND",
        "INVALID_FIELD",
        "UNKNOWN_FIELDS",
        "NOT_FOUND",
    }


def test_the_data_folder_holds_no_secret(aftermath: Aftermath) -> None:
    files = [path for path in aftermath.server.data.rglob("*") if path.is_file()]
    contents = {path.name: path.read_bytes() for path in files}
    assert "keys.json" in contents
    if address(aftermath.server) is None:
        # What is not secret is found, so what is would be.
        assert {"treadle.db", "treadle.db-wal", "treadle.lock"} <= contents.keys()
        assert any(aftermath.item_id.encode() in content for content in contents.values())
    found = {name: aftermath.planted.found_in(content) for name, content in contents.items()}
    assert not any(found.values()), found


def test_the_database_holds_no_secret(aftermath: Aftermath) -> None:
    found: dict[str, list[str]] = {}
    everything = b""
    for table in tables(aftermath.server):
        for row in query(aftermath.server, f"SELECT * FROM {table}"):
            for column, value in row.items():
                content = value if isinstance(value, bytes) else str(value).encode()
                everything += content + b"\n"
                if names := aftermath.planted.found_in(content):
                    found[f"{table}.{column}"] = names
    assert not found
    assert aftermath.item_id.encode() in everything


def test_the_keys_are_in_the_key_file_alone(aftermath: Aftermath) -> None:
    file = json.loads((aftermath.server.data / "keys.json").read_bytes())
    keys = [key["key"] for key in [*file["peppers"], *file["envelope_keys"]]]
    forms = [form for key in keys for form in (key.encode(), b64decode(key))]
    assert len(forms) >= 4
    places = {
        path.name: path.read_bytes()
        for path in aftermath.server.data.rglob("*")
        if path.is_file() and path.name != "keys.json"
    }
    places["log"] = aftermath.server.log().encode()
    for table in tables(aftermath.server):
        rows = query(aftermath.server, f"SELECT * FROM {table}")
        for row in rows:
            values = [v if isinstance(v, bytes) else str(v).encode() for v in row.values()]
            places[table] = places.get(table, b"") + b"\n".join(values)
    assert [name for name, content in places.items() if any(f in content for f in forms)] == []


def test_the_log_holds_no_secret(aftermath: Aftermath) -> None:
    lines = aftermath.server.log().splitlines()
    assert len(lines) > 100
    # What a caller puts in the path is a caller's own doing.
    kept = "\n".join(line for line in lines if "/nowhere/" not in line)
    assert aftermath.planted.found_in(kept.encode()) == []


def test_errors_hold_no_secret(aftermath: Aftermath) -> None:
    found = {
        answer.raw: names
        for answer in aftermath.planted.errors
        if (names := aftermath.planted.found_in(answer.raw))
    }
    assert not found


def test_errors_do_not_repeat_a_token_that_stands_among_products(api: Api) -> None:
    linked = api.link()
    token = api.mint(linked)
    for planted in (linked.access_token, token):
        products = {"institution_id": INSTITUTION, "initial_products": [planted]}
        for answer in (
            api.permit(token, planted),
            api.post("/sandbox/public_token/create", **products),
        ):
            assert answer.status == 400
            assert planted not in answer.raw.decode()
