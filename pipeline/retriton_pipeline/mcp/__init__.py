"""A server of the Model Context Protocol (MCP), whose tools are requests to a running gateway."""

from retriton_pipeline.mcp.gateway_requests import GatewayRequests
from retriton_pipeline.mcp.server import create_server

__all__ = ["GatewayRequests", "create_server"]
