"""A pack shown to a person: frames where something happens, a film with its overlays, a plot, a page."""
