"""The headers of pages: what a browser may load for them, and who may put them into a frame."""

from __future__ import annotations

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'"
)
_COMMON = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# Of a page that stands alone.
ALONE = {**_COMMON, "Content-Security-Policy": f"{_POLICY}; frame-ancestors 'none'"}
# Of a page in a frame of any other. The last two let it into pages that are isolated from others.
FRAMED = {
    **_COMMON,
    "Content-Security-Policy": f"{_POLICY}; frame-ancestors *",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
