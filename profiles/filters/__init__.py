"""What lists can be filtered by, where it is more than a column."""
