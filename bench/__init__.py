"""Load tests: the served encoder against the same engine in process, idle and loaded, and past its capacity."""
