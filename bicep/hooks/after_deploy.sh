#!/bin/sh
# Store a function key of the API in the vault. If an Entra application is configured, build and deploy the dashboard.
# Requires az, signed in; the outputs of bicep/main.bicep as variables; MAYFLY_DASHBOARD_CLIENT_ID for the dashboard.
set -eu
key=$(mktemp)
trap 'rm -f "$key"' EXIT
az functionapp keys list -g "$AZURE_RESOURCE_GROUP" -n "$MAYFLY_FUNCTION_APP" --query functionKeys.default -o tsv | tr -d '\n' >"$key"
az keyvault secret set --vault-name "$MAYFLY_KEY_VAULT_NAME" --name mayfly-api-key --file "$key" --query id -o tsv

if [ -z "${MAYFLY_DASHBOARD_CLIENT_ID:-}" ]; then
    echo "dashboard not deployed: MAYFLY_DASHBOARD_CLIENT_ID is not set (see docs/deploy.md)"
    exit 0
fi
image="mayfly-dashboard:$(date -u +%Y%m%d%H%M%S)"
az acr build --registry "$MAYFLY_REGISTRY_NAME" --image "$image" --file streamlit_dashboard/Dockerfile --no-logs .
url=$(az deployment group create -g "$AZURE_RESOURCE_GROUP" -n dashboard \
    --template-file bicep/modules/dashboard.bicep \
    --parameters token="$MAYFLY_TOKEN" identityId="$MAYFLY_DASHBOARD_IDENTITY" \
    registryServer="$AZURE_CONTAINER_REGISTRY_ENDPOINT" image="$AZURE_CONTAINER_REGISTRY_ENDPOINT/$image" \
    apiUrl="$MAYFLY_URL" vaultName="$MAYFLY_KEY_VAULT_NAME" principalId="$MAYFLY_DASHBOARD_PRINCIPAL" clientId="$MAYFLY_DASHBOARD_CLIENT_ID" \
    workspaceName="$MAYFLY_WORKSPACE" cosmosEndpoint="$MAYFLY_COSMOS_ENDPOINT" \
    identityClientId="$MAYFLY_DASHBOARD_IDENTITY_CLIENT_ID" \
    --query properties.outputs.url.value -o tsv)
echo "dashboard: $url"
echo "add this redirect URI to its Entra application: $url/.auth/login/aad/callback"
