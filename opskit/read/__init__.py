"""Reading the billing table whole: from DynamoDB, a capture or an export, into a snapshot."""
