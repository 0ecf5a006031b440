"""The linters of the OpenAPI document, from npm: Redocly's recommended rules, and Spectral's `oas` rules."""
