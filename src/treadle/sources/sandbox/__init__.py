"""The sandbox source and its data files."""
