"""Fuzzing: `python -m fuzz` looks for inputs on which the project fails, hangs, or takes too much time or memory."""
