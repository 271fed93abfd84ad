"""Attacks on a running service over its sockets, and what a well-behaved caller notices of them."""
