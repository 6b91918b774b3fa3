"""Which faces are in a picture, and which of them is followed."""

from anchord.tracking.faces.face import Face as Face
from anchord.tracking.faces.finder import FaceFinder as FaceFinder
