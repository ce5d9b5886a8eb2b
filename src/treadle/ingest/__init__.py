"""Bank data that an operator brings: the records it comes in, and how they are kept."""
