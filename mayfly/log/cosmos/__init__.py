"""The log and its stats in a Cosmos DB container."""
