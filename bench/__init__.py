"""Measures the server's speed against a bare ASGI function; see docs/benchmark.md."""
