"""The wire format: `application/vnd.amazon.eventstream`, and the frames that Bedrock makes of it."""
