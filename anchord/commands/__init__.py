"""What the commands find out for a person; ``cli`` prints it."""
