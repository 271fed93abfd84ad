"""Documents that are made to exhaust memory or time, for tests, fuzzers and load."""
