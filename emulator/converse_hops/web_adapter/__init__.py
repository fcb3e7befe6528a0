"""A stand-in for the AWS Lambda Web Adapter, which puts any web application behind the Runtime API."""
