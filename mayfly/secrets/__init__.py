"""Where do secret values come from? The port `SecretStore` (store.py), its adapters, and masking."""
