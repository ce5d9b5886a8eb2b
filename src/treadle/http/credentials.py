"""Client credentials: in the headers or in the body, where headers win."""

from __future__ import annotations

import msgspec

from treadle.clients import CLIENT, Client
from treadle.http import errors
from treadle.keys import Keys
from treadle.store.change import Store

CLIENT_ID_HEADER = b"plaid-client-id"
SECRET_HEADER = b"plaid-secret"


class Credentials(msgspec.Struct):
    client_id: str | None
    secret: str | None

    @classmethod
    def from_headers(cls, headers: dict[bytes, bytes]) -> Credentials:
        client_id, secret = headers.get(CLIENT_ID_HEADER), headers.get(SECRET_HEADER)
        return cls(
            client_id.decode("latin-1") if client_id else None,
            secret.decode("latin-1") if secret else None,
        )

    def needed_in_body(self) -> list[str]:
        """The names of those that no header gave."""
        if self.client_id is not None and self.secret is not None:
            return []
        return [name for name in ("client_id", "secret") if getattr(self, name) is None]

    def completed_from(self, request: msgspec.Struct) -> Credentials:
        """With what the body adds. Raises ApiError when one is empty."""
        client_id = self.client_id or getattr(request, "client_id", None)
        secret = self.secret or getattr(request, "secret", None)
        for name, value in (("client_id", client_id), ("secret", secret)):
            if not value:
                problem = f"{name} must be a properly formatted, non-empty string"
                raise errors.INVALID_FIELD(problem=problem)
        return Credentials(client_id, secret)


async def authenticate(store: Store, keys: Keys, credentials: Credentials) -> Client:
    """The client that has these credentials.

    The row is read on every call, so a rotated secret or a removed client is refused by the very
    next one. Raises ApiError.
    """
    client = await store.first(CLIENT, client_id=credentials.client_id)
    digest = client.secret_digest if client else bytes(32)
    pepper_id = client.pepper_id if client else keys.pepper_id
    matches = keys.matches(credentials.secret or "", digest, pepper_id)
    if client is None or client.removed_at is not None or not matches:
        raise errors.INVALID_API_KEYS()
    return client


async def known_client(store: Store, client_id: str) -> Client:
    """The client of this id. Raises ApiError when there is none, or it was removed."""
    client = await store.first(CLIENT, client_id=client_id)
    if client is None or client.removed_at is not None:
        raise errors.INVALID_API_KEYS()
    return client
