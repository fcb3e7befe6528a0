"""The service model, read from the installed botocore, and its constraints compiled."""
