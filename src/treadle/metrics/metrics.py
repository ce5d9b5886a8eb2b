"""Every metric, and the events by which they change.

Labels are paths of operations, error codes and other closed sets: never an id, a token or anything
else that a caller wrote. Counts are gathered and handed on once a second, since the library takes
as long over one as a redeem takes over a look-up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Tally
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from treadle.recording.exchange import Exchange
from treadle.store.change import Change
from treadle.store.statements import Query

_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_UNKNOWN_PATH = "unknown"


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        self._requests = counter("treadle_requests", "Requests answered.", ["path", "code"])
        self._request_seconds = _GatheredHistogram(
            "treadle_request_seconds",
            "Time from the head of a request to its answer.",
            ["path"],
            buckets=_REQUEST_BUCKETS,
            registry=self.registry,
        )
        self._in_flight = gauge(
            "treadle_requests_in_flight", "Requests being served.", multiprocess_mode="livesum"
        )
        self._workers = gauge(
            "treadle_workers", "Processes that serve.", multiprocess_mode="livesum"
        )
        self._database_calls = counter("treadle_database_calls", "Reads and commits.", ["call"])
        self._database_seconds = counter(
            "treadle_database_seconds", "Time that these took, waiting included.", ["call"]
        )
        self._audit_entries = counter("treadle_audit_entries", "Entries added to audit chains.")
        self._batches = counter("treadle_commit_batches", "SQLite: commits of gathered Changes.")
        self._batched = counter("treadle_commit_batched_changes", "SQLite: Changes in these.")
        self._webhooks_pending = gauge(
            "treadle_webhooks_pending",
            "Webhooks that are owed.",
            multiprocess_mode="livemostrecent",
        )
        self._webhook_attempts = counter(
            "treadle_webhook_attempts", "Attempts to deliver, by the state after it.", ["state"]
        )
        self._latencies: dict[str, _Latencies] = {}
        self._ended: Tally[tuple[str, str]] = Tally()
        self._settled: Tally[str] = Tally()
        self._reads, self._commits = _Calls(), _Calls()
        self._entries = self._batch_count = self._batch_changes = 0

    def request_ended(self, exchange: Exchange) -> None:
        path = exchange.operation or _UNKNOWN_PATH
        self._ended[path, exchange.error_code or "OK"] += 1
        latency = self._latencies.get(path)
        if latency is None:
            latency = self._latencies[path] = _Latencies()
        seconds = exchange.milliseconds / 1_000
        latency.counts[bisect_left(_REQUEST_BUCKETS, seconds)] += 1
        latency.seconds += seconds

    def database_called(self, what: Query[object] | Change, seconds: float) -> None:
        if isinstance(what, Change):
            calls = self._commits
            self._entries += len(what.records)
        else:
            calls = self._reads
        calls.count += 1
        calls.seconds += seconds

    def batch_committed(self, changes: int) -> None:
        self._batch_count += 1
        self._batch_changes += changes

    def webhook_settled(self, state: str) -> None:
        self._settled[state] += 1

    def sample(self, in_flight: int) -> None:
        """Hand on what was counted since the last time, and what is so at this moment."""
        for (path, code), count in self._ended.items():
            self._requests.labels(path, code).inc(count)
        for path, latencies in self._latencies.items():
            self._request_seconds.labels(path).observe_all(latencies.counts, latencies.seconds)
        for state, count in self._settled.items():
            self._webhook_attempts.labels(state).inc(count)
        for call, calls in (("read", self._reads), ("commit", self._commits)):
            self._database_calls.labels(call).inc(calls.count)
            self._database_seconds.labels(call).inc(calls.seconds)
        self._audit_entries.inc(self._entries)
        self._batches.inc(self._batch_count)
        self._batched.inc(self._batch_changes)
        self._in_flight.set(in_flight)
        self._workers.set(1)
        self._latencies.clear()
        self._ended.clear()
        self._settled.clear()
        self._reads, self._commits = _Calls(), _Calls()
        self._entries = self._batch_count = self._batch_changes = 0

    def sample_outbox(self, pending: int) -> None:
        self._webhooks_pending.set(pending)


class _GatheredHistogram(Histogram):
    def observe_all(self, counts: list[int], total: float) -> None:
        """As many observations as `counts` has for each bucket, which add up to `total`."""
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
        self._sum.inc(total)


class _Latencies:
    """How many requests ended within each bucket's bound, and how long they took together."""

    def __init__(self) -> None:
        # The last bucket takes what is longer than any bound.
        self.counts = [0] * (len(_REQUEST_BUCKETS) + 1)
        self.seconds = 0.0


class _Calls:
    """How many there were, and how long they took together."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
