"""One module per product area. Each declares its operations; areas do not import each other."""
