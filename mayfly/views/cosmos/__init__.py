"""Job views and job stats in a Cosmos DB container."""
