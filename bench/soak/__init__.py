"""Soak test: all outcomes mixed for many minutes, with processes killed; memory, files and vectors are watched."""
