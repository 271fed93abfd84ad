"""Formats of rows and records: CSV, TSV, JSON and JSON lines."""
