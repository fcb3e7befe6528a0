"""AppSync Events: publish over HTTP, subscribe over a WebSocket, nothing in between is kept."""
