"""Source code, configuration files and notebooks."""
