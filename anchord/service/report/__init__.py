"""What the daemon tells of itself, and to whom."""
