"""Helpers for tests, of the library and of one's own functions: how accurate compiled functions are."""
