"""A Cosmos DB server for tests: @vercel/cosmosdb-server from npm, an independent program, with a switch for faults."""
