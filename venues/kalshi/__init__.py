"""Kalshi behind the port: Trade API v2, event orders, order books over WebSocket."""
