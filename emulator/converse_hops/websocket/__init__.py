"""The stand-in for an API Gateway WebSocket API."""
