"""Piper: the package's phonemes through models that the tests make."""
