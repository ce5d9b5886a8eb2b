"""Worlds of sandbox clients as a whole: emptied, put back as they were, carried elsewhere."""
