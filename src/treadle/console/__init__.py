"""The console: pages for people, over the program's own operations and queries."""
