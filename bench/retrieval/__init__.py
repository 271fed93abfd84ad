"""Searches under load: rates, latencies, overload, and CPU time by process."""
