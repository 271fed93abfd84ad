"""Programs that speak to a gateway from an environment of their own, whose packages need not suit ours."""
