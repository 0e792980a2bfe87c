"""Reads results without torch."""
