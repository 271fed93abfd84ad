"""Markup languages: reStructuredText, AsciiDoc, Org, LaTeX and XML."""
