"""Kalshi's Trade API v2 with event orders, and its WebSocket, as a local server."""
