"""What the gateway keeps across restarts: records of files and vector stores, in SQLite. It knows no HTTP."""
