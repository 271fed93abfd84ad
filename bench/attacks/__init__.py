"""Attacks on a running service, for `python -m bench.attacks`."""
