"""Office formats: Office Open XML, OpenDocument, EPUB and RTF."""
