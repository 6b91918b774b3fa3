"""How the skin moves, and what is in front of it."""
