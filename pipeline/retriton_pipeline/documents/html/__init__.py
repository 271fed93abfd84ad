"""HTML: web pages, and the tree into which DOCX, ODT, EPUB and mail are converted."""
