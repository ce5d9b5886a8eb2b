"""The source of what an operator brings: it serves what is stored."""
