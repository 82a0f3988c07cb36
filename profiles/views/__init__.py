"""Profiles and what belongs to them, by the API."""
