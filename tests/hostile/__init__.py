"""A hostile world around a running daemon: whatever a pack is, the others are served."""
