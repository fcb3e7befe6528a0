"""What stands in front of a function: its URL, and API Gateway's REST and HTTP APIs."""
