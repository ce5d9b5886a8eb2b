"""All settings, in one place and typed. The command line fills them; nothing else reads the
environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

Environment = Literal["sandbox", "production"]
LogFormat = Literal["text", "json"]
AuditReads = Literal["off", "batched", "strict"]

SANDBOX_CLIENT_ID = "client_sandbox"
SANDBOX_SECRET = "secret_sandbox"  # noqa: S105, published on purpose

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8484


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    data: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    database: str | None = None
    # The key file's JSON, or a command that prints it; without either the file in the data folder.
    keys: str | None = None
    keys_command: str | None = None
    environment: Environment = "sandbox"
    workers: int = 1
    # Further names by which clients may address a sandbox that answers on loopback.
    allowed_hosts: tuple[str, ...] = ()
    # Processor tokens work for clients registered for their processor alone.
    strict_partners: bool = False
    seed: str | None = None
    # The instant at which a sandbox's clock stands still, in microseconds since the Unix epoch.
    clock: int | None = None
    # How long after a product was begun its first data is there, and again its whole history.
    product_ready_seconds: int = 0
    stripe_key: str | None = None
    stripe_url: str = "https://api.stripe.com"
    stripe_timeout_seconds: float = 10.0
    # How long a receiver of webhooks may take to answer.
    webhook_timeout_seconds: float = 10.0
    # After how many days the key that webhooks are signed with is replaced.
    webhook_key_days: int = 30
    # Networks that webhooks may reach in production although they are not public.
    webhook_networks: tuple[str, ...] = ()
    # How many of the last requests of each sandbox client are kept, with their answers.
    requests_kept: int = 1_000
    # The address by which browsers reach the server; without one, that which it listens on.
    public_url: str | None = None
    # Where banks may send users back to. Without any, a sandbox takes every address on loopback.
    redirect_uris: tuple[str, ...] = ()
    max_body_bytes: int = 1_048_576
    max_requests_in_flight: int = 512
    # With PostgreSQL, how many connections each worker holds at most.
    database_connections: int = 16
    # How long a statement may take, or SQLite's lock be waited for.
    database_timeout_seconds: float = 5.0
    # Files in PEM form; with them the server speaks TLS.
    tls_certificate: str | None = None
    tls_key: str | None = None
    # Whether the documented rate limits hold; by default in production alone.
    rate_limits: bool | None = None
    # Where Prometheus finds metrics, if anywhere.
    metrics_host: str = DEFAULT_HOST
    metrics_port: int | None = None
    log_format: LogFormat = "text"
    # Reads and commits that take longer are logged, if any are.
    slow_query_milliseconds: int | None = None
    # Whether what partners read is in the audit chains soon after it is answered, or before;
    # without it soon after in production, and not at all in sandbox.
    audit_reads: AuditReads | None = None
    # How many days entries of audit chains are kept; without it for ever.
    audit_days: int | None = None
    # How long requests in flight may take to end once the server is told to stop.
    stop_seconds: int = 20

    @property
    def sandbox(self) -> bool:
        return self.environment == "sandbox"

    @property
    def url(self) -> str:
        """Where the server listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "http" if self.tls_certificate is None else "https"
        return f"{scheme}://{host}:{self.port}"

    @property
    def browser_url(self) -> str:
        """Where browsers find the server, without a slash at the end."""
        if self.public_url is not None:
            return self.public_url.rstrip("/")
        return self.url
