"""Destinations of events: one folder per sink, registered in `catalogue`."""
