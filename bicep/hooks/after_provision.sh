#!/bin/sh
# Create the key that signs report tokens, unless it exists, and build the worker image in the registry.
# The key is never printed. Requires az, signed in; MAYFLY_KEY_VAULT_NAME, MAYFLY_REGISTRY_NAME and MAYFLY_WORKER_TAG
# (outputs of bicep/main.bicep).
set -eu
if ! az keyvault secret show --vault-name "$MAYFLY_KEY_VAULT_NAME" --name mayfly-report-key --query id -o tsv >/dev/null 2>&1; then
    key=$(mktemp)
    trap 'rm -f "$key"' EXIT
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$key"
    az keyvault secret set --vault-name "$MAYFLY_KEY_VAULT_NAME" --name mayfly-report-key --file "$key" --query id -o tsv
fi
az acr build --registry "$MAYFLY_REGISTRY_NAME" --image "$MAYFLY_WORKER_TAG" --no-logs worker/
