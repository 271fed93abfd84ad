"""Routes, one module a subject: each parses a request, calls one service, and shapes the response."""
