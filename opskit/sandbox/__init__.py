"""A local DynamoDB with sample books: for the demo, the lab and the runbooks' tests."""
