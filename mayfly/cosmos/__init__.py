"""What do the Cosmos adapters share? The client, the containers and what each of them indexes."""
