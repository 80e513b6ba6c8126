"""The table of measured errors: `python -m derivations.accuracy` writes it anew."""
