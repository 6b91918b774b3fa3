"""A pack's pictures from a clip: the face's own mouth in the shapes of speech, its own lids shut."""
