"""A Cosmos DB server for tests: @vercel/cosmosdb-server from npm, which nobody here wrote, and a switch for faults."""
