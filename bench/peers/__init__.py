"""The same texts through other embedding servers and through us, in turn, on the same cores and checkpoint."""
