"""Curves over time: smoothed, bridged, closed."""
