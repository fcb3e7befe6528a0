"""From a timeline to a connection: acts, moments, gates, and the journal of what really happened."""
