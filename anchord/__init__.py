"""Pin mouth and eye overlays to the face of an avatar's idle video."""

__version__ = "0.1.0"
