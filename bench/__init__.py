"""Load tests: the served encoder compared with the same engine in process, idle, under load and overloaded."""
