"""HTTP around the routes: middleware, limits, TLS, error responses and tracing."""
