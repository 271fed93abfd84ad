"""Compares Retriton with other embedding servers, with the same texts, checkpoint and cores."""
