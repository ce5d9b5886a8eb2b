"""The headers of pages: what a browser may load for them, where forms go, who may frame them."""

from __future__ import annotations

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'"
)
_COMMON = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# Of a page that stands alone.
ALONE = {
    **_COMMON,
    "Content-Security-Policy": f"{_POLICY}; form-action 'none'; frame-ancestors 'none'",
}
# Of one that gives orders by forms, and so must know which page a form is from.
ORDERING = {
    **_COMMON,
    "Content-Security-Policy": f"{_POLICY}; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}
# Of a page in a frame of any other. The last two let it into pages that are isolated from others.
FRAMED = {
    **_COMMON,
    "Content-Security-Policy": f"{_POLICY}; form-action 'none'; frame-ancestors *",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
