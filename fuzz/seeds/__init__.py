"""Inputs to start from: small valid files, and attacks."""
