"""A client for one test, so that tests which run side by side never see each other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from treadle.client import Treadle

if TYPE_CHECKING:
    from plaid.api.plaid_api import PlaidApi

    from treadle.testing.receiver import Receiver

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True

# A bank that has every product.
_INSTITUTION = "ins_109508"
_MAX_NAME_LENGTH = 100


class Item(NamedTuple):
    access_token: str
    item_id: str


class Sandbox:
    """A client made for one test. As a context manager it is deleted at the end, with all it has.

    `client` is the whole of its control plane; the groups that tests use most stand here too.
    """

    def __init__(self, maker: Treadle, name: str = "Test") -> None:
        """`maker` is the client that makes this one and deletes it."""
        self._maker = maker
        self._closing = ExitStack()
        self.client = self._make_client(name[-_MAX_NAME_LENGTH:])
        self.base_url = self.client.base_url
        self.client_id = self.client.client_id
        self.secret = self.client.secret
        self.clock = self.client.clock
        self.seed = self.client.seed
        self.faults = self.client.faults
        self.requests = self.client.requests
        self.call = self.client.call

    def __repr__(self) -> str:
        return f"Sandbox({self.base_url!r}, client_id={self.client_id!r})"

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing.close()

    @cached_property
    def plaid(self) -> PlaidApi:
        """Plaid's SDK with this client's keys."""
        return self.client.plaid()

    @cached_property
    def webhooks(self) -> Receiver:
        """A receiver on loopback, from the first use on; its `url` is for Items."""
        from treadle.testing.receiver import Receiver

        # Through its maker, so that no fault of this client's strikes the fetching of keys.
        receiver = Receiver(self._maker)
        self._closing.callback(receiver.close)
        return receiver

    def item(
        self,
        products: Sequence[str] = ("auth",),
        *,
        user: str = "user_good",
        password: str = "pass_good",  # noqa: S107, published on purpose
        webhook: str | None = None,
        institution_id: str = _INSTITUTION,
    ) -> Item:
        """Link a bank as a sandbox user would, and exchange the public token."""
        options: dict[str, Any] = {"override_username": user, "override_password": password}
        if webhook is not None:
            options["webhook"] = webhook
        created = self.call(
            "/sandbox/public_token/create",
            institution_id=institution_id,
            initial_products=products,
            options=options,
        )
        public_token = created["public_token"]
        exchanged = self.call("/item/public_token/exchange", public_token=public_token)
        return Item(exchanged["access_token"], exchanged["item_id"])

    def processor_token(
        self,
        item: Item,
        processor: str,
        products: Sequence[str] | None = None,
        *,
        account_id: str | None = None,
    ) -> str:
        """Mint a processor token for an account, the Item's first unless it is named.

        With `products` it is narrowed to these.
        """
        if account_id is None:
            accounts = self.call("/accounts/get", access_token=item.access_token)["accounts"]
            account_id = accounts[0]["account_id"]
        token: str = self.call(
            "/processor/token/create",
            access_token=item.access_token,
            account_id=account_id,
            processor=processor,
        )["processor_token"]
        if products is not None:
            self.call("/processor/token/permissions/set", processor_token=token, products=products)
        return token

    def partner(self, processor: str) -> Treadle:
        """A further client, registered for a processor; it is deleted with this one."""
        return self._make_client(f"Partner of {self.client_id}", processor)

    def _make_client(self, name: str, *processors: str) -> Treadle:
        made = self._maker.clients.create(name=name, processors=processors)
        client = Treadle(self._maker.base_url, made.client.client_id, made.secret)
        self._closing.callback(self._maker.clients.delete, client.client_id)
        self._closing.callback(client.close)
        return client
