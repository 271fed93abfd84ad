"""PDF: characters to lines, lines to regions, regions to blocks."""
