"""The edge: from bytes to a typed request, and from a typed answer or error back to bytes."""
