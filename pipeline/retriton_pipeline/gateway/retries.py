"""How long work waits that failed for a reason that may be over later."""

_FIRST_S = 1.0  # doubled with each further failure
_MAX_S = 60.0


def pause_s(failures: int) -> float:
    """Seconds to wait after so many failures, one after the other."""
    return min(_MAX_S, _FIRST_S * 2.0 ** min(failures - 1, 16))
