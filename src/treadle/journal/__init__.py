"""What took access away, outside the database, so that no restored backup brings it back."""
