"""A video file into frames, as a player shows them."""
