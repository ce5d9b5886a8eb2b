"""Every metric, and the events by which they change.

Labels are paths of operations, error codes and other closed sets: never an id, a token or anything
else that a caller wrote. Counting goes into dictionaries, which are handed on once a second, since
the library takes as long over one count as a redeem takes over its look-up.
"""

from __future__ import annotations

from collections import Counter as Tally

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from treadle.recording.exchange import Exchange
from treadle.store.change import Change
from treadle.store.statements import Query

_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_UNKNOWN_PATH = "unknown"


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "treadle_requests", "Requests answered.", ["path", "code"], registry=self.registry
        )
        self._request_seconds = Histogram(
            "treadle_request_seconds",
            "Time from the head of a request to its answer.",
            ["path"],
            buckets=_REQUEST_BUCKETS,
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "treadle_requests_in_flight",
            "Requests being served.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self._workers = Gauge(
            "treadle_workers",
            "Processes that serve.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self._database_calls = Counter(
            "treadle_database_calls", "Reads and commits.", ["call"], registry=self.registry
        )
        self._database_seconds = Counter(
            "treadle_database_seconds",
            "Time that reads and commits took, waiting included.",
            ["call"],
            registry=self.registry,
        )
        self._audit_entries = Counter(
            "treadle_audit_entries", "Entries added to audit chains.", registry=self.registry
        )
        self._batches = Counter(
            "treadle_commit_batches", "SQLite: commits of gathered Changes.", registry=self.registry
        )
        self._batched = Counter(
            "treadle_commit_batched_changes",
            "SQLite: Changes in these commits.",
            registry=self.registry,
        )
        self._webhooks_pending = Gauge(
            "treadle_webhooks_pending",
            "Webhooks that are owed.",
            multiprocess_mode="livemostrecent",
            registry=self.registry,
        )
        self._webhook_attempts = Counter(
            "treadle_webhook_attempts",
            "Attempts to deliver a webhook, by the state it was left in.",
            ["state"],
            registry=self.registry,
        )
        self._counts: Tally[tuple[Counter, tuple[str, ...]]] = Tally()
        self._sums: dict[tuple[Counter, tuple[str, ...]], float] = {}
        self._latencies: dict[str, Histogram] = {}

    def request_ended(self, exchange: Exchange) -> None:
        path = exchange.operation or _UNKNOWN_PATH
        self._counts[self._requests, (path, exchange.error_code or "OK")] += 1
        latency = self._latencies.get(path)
        if latency is None:
            latency = self._latencies[path] = self._request_seconds.labels(path)
        latency.observe(exchange.milliseconds / 1_000)

    def database_called(self, what: Query[object] | Change, seconds: float) -> None:
        labels = ("commit" if isinstance(what, Change) else "read",)
        self._counts[self._database_calls, labels] += 1
        key = (self._database_seconds, labels)
        self._sums[key] = self._sums.get(key, 0.0) + seconds
        if isinstance(what, Change):
            self._counts[self._audit_entries, ()] += len(what.records)

    def batch_committed(self, changes: int) -> None:
        self._counts[self._batches, ()] += 1
        self._counts[self._batched, ()] += changes

    def webhook_settled(self, state: str) -> None:
        self._counts[self._webhook_attempts, (state,)] += 1

    def sample(self, in_flight: int) -> None:
        """Hand on what was counted since the last time, and what is so at this moment."""
        counts, self._counts = self._counts, Tally()
        sums, self._sums = self._sums, {}
        for (counter, labels), count in (*counts.items(), *sums.items()):
            (counter.labels(*labels) if labels else counter).inc(count)
        self._in_flight.set(in_flight)
        self._workers.set(1)

    def sample_outbox(self, pending: int) -> None:
        self._webhooks_pending.set(pending)
