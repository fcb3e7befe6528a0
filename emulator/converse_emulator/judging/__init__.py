"""What is wrong with a request: the service model's constraints and Bedrock's semantic rules."""
