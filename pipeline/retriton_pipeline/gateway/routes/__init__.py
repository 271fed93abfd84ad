"""Routes by subject; each module makes a router of what it needs."""
