"""Who a page is for: sealed in the link to it, and in the cookie of whoever has opened that.

So nobody can make either, and neither needs a row. That a link opens once is kept like a request
with an idempotency key: opening it is done once.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Literal

import msgspec

from treadle.call import ClientCall, Services
from treadle.clock import MINUTE
from treadle.http.credentials import known_client
from treadle.http.errors import ApiError
from treadle.idempotency.once import Once, Repeated
from treadle.ids import request_id, secret_key
from treadle.key_files import KeyFileError
from treadle.keys import Keys
from treadle.store.change import GuardFailed

LINK_LIFE = 30 * MINUTE
VISIT_LIFE = 15 * MINUTE
_NONCE_BYTES = 16

Form = Literal["link", "cookie"]


class Holder(msgspec.Struct, frozen=True):
    """The Items of one user, as a client knows them."""

    client_id: str
    item_ids: list[str]
    # An instant of the server's own clock, for no client may lengthen it.
    until: int
    nonce: bytes = msgspec.field(default_factory=lambda: secret_key(_NONCE_BYTES))

    def sealed(self, keys: Keys, form: Form) -> str:
        sealed = keys.seal(msgspec.msgpack.encode(self), _place(form))
        return urlsafe_b64encode(sealed).decode().rstrip("=")


_decode = msgspec.msgpack.Decoder(Holder).decode


def _place(form: Form) -> str:
    return f"grants/{form}/any"


def unsealed(keys: Keys, text: str, form: Form, now: int) -> Holder | None:
    """The holder in a link or a cookie; None unless it is ours and its time is not over."""
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        holder = _decode(keys.unseal(sealed, _place(form)))
    except (KeyFileError, ValueError):
        return None
    return holder if holder.until > now else None


async def open_once(services: Services, holder: Holder) -> bool:
    """Keep that a link was opened, on record; false when it was opened before."""
    try:
        client = await known_client(services.store, holder.client_id)
        call = ClientCall(services, request_id(), services.worlds.now(client), client)
        once = Once(sha256(holder.nonce).digest(), "open the page of grants", LINK_LIFE)
        await once.check(call)
        once.keep(call, b"")
        for item_id in holder.item_ids:
            call.record("grants_page.open", item_id=item_id)
        await call.commit()
    except (ApiError, GuardFailed, Repeated):
        return False
    return True
