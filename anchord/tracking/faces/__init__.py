"""Which faces are in a picture, and which of them is followed."""

from anchord.tracking.faces.mediapipe import FaceFinder as FaceFinder
