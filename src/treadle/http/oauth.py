"""Introspection (RFC 7662) and revocation (RFC 7009) of processor tokens, as those standards ask.

A request with a form is turned into one of Treadle's own operations, which passes the pipeline as
any other does, and its answer into what the standard says. The same paths take JSON as well.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from treadle.http.errors import ApiError, ErrorBody
from treadle.http.limits import Disconnected, Receive, read_body
from treadle.http.protocol import ANSWER

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Handle = Callable[[Message, Receive, Send], Awaitable[None]]

_INTROSPECT = "/treadle/processor_token/introspect"
_REVOKE = "/treadle/processor_token/revoke"
_GIVE_BACK = "/treadle/processor_token/give_back"
_FORM = b"application/x-www-form-urlencoded"
_MAX_BODY_BYTES = 16_384
_MAX_FIELDS = 32
_JSON = (b"content-type", b"application/json")

_decode_error = msgspec.json.Decoder(ErrorBody).decode


class OAuthError(Exception):
    """An answer in the shape of RFC 6749, section 5.2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.description = description

    def body(self) -> bytes:
        told = {"error": self.error, "error_description": self.description}
        return msgspec.json.encode(told)


def is_form(scope: Message) -> bool:
    """Whether a request is one of those that the standards describe."""
    if scope["path"] not in (_INTROSPECT, _REVOKE) or scope["method"] != "POST":
        return False
    content_type = dict(scope["headers"]).get(b"content-type", b"")
    return bool(content_type.split(b";")[0].strip().lower() == _FORM)


async def answer_form(handle: Handle, scope: Message, receive: Receive, send: Send) -> None:
    """Answer a form by way of the pipeline."""
    headers = [_JSON, (b"cache-control", b"no-store")]
    try:
        form = _Form(await read_body(receive, _MAX_BODY_BYTES), dict(scope["headers"]))
        exchange = _introspect if scope["path"] == _INTROSPECT else _revoke
        status, body = 200, await exchange(form, handle, scope)
    except Disconnected:
        return
    except ApiError as error:
        status, body = 400, OAuthError(400, "invalid_request", error.message).body()
    except OAuthError as error:
        status, body = error.status, error.body()
        if status == 401:
            headers.append((b"www-authenticate", b'Basic realm="treadle"'))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": ANSWER, "status": status, "headers": headers, "pieces": [body]})


class _Form:
    """Who asks about which token. Raises OAuthError."""

    def __init__(self, body: bytes, headers: dict[bytes, bytes]) -> None:
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError:
            raise OAuthError(400, "invalid_request", "the form could not be parsed") from None
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise OAuthError(400, "invalid_request", "the form repeats a parameter")
        in_form = (fields.get("client_id"), fields.get("client_secret"))
        basic = _basic(headers.get(b"authorization"))
        if basic is not None and in_form[1] is not None:
            problem = "credentials are either in the header or in the form"
            raise OAuthError(400, "invalid_request", problem)
        self.client_id, self.secret = basic or in_form
        if not self.client_id or not self.secret:
            raise OAuthError(401, "invalid_client", "client credentials are missing")
        self.token = fields.get("token", "")
        if not self.token or "\0" in body.decode():
            raise OAuthError(400, "invalid_request", "the parameter token is missing")

    async def ask(self, handle: Handle, scope: Message, path: str, name: str) -> bytes:
        """What one of Treadle's own operations answers. Raises OAuthError."""
        fields = {"client_id": self.client_id, "secret": self.secret, name: self.token}
        body = msgspec.json.encode(fields)
        kept = [pair for pair in scope["headers"] if pair[0] == b"host"]
        answers: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            answers.append(message)

        await handle({**scope, "path": path, "headers": [*kept, _JSON]}, receive, send)
        [answer] = answers
        text = b"".join(answer["pieces"])
        if answer["status"] != 200:
            raise _translated(answer["status"], _decode_error(text))
        return text


class _Unknown(OAuthError):
    """The token means nothing to the client."""


def _translated(status: int, error: ErrorBody) -> OAuthError:
    description = f"{error.error_message} [request {error.request_id}]"
    if error.error_code == "INVALID_API_KEYS":
        return OAuthError(401, "invalid_client", description)
    if error.error_code == "INVALID_PROCESSOR_TOKEN":
        return _Unknown(400, "invalid_request", description)
    if status == 429:
        return OAuthError(503, "temporarily_unavailable", description)
    if status >= 500:
        return OAuthError(500, "server_error", description)
    return OAuthError(400, "invalid_request", description)


async def _introspect(form: _Form, handle: Handle, scope: Message) -> bytes:
    return await form.ask(handle, scope, _INTROSPECT, "token")


async def _revoke(form: _Form, handle: Handle, scope: Message) -> bytes:
    """The client that minted the token ends it, or a partner gives it back.

    One that is no token to the client is as good as ended, which is what the standard says.
    """
    if form.token.startswith(("access-", "public-", "link-")):
        problem = "only processor tokens can be revoked so"
        raise OAuthError(400, "unsupported_token_type", problem)
    for path in (_REVOKE, _GIVE_BACK):
        try:
            await form.ask(handle, scope, path, "processor_token")
            break
        except _Unknown:
            continue
    return b""


def _basic(header: bytes | None) -> tuple[str, str] | None:
    """The credentials of a header. Raises OAuthError when it has none that can be read."""
    if header is None:
        return None
    scheme, _, encoded = header.partition(b" ")
    try:
        client_id, separator, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        separator = ""
    if scheme.lower() != b"basic" or not separator:
        raise OAuthError(401, "invalid_client", "the Authorization header must be of type Basic")
    return unquote_plus(client_id), unquote_plus(secret)
