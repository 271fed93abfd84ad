"""What the gateway does, independent of HTTP routes: one module a service."""
