// The dashboard on Container Apps, behind the platform's sign-in. It reads the log, the views and the stats with its own
// identity (cosmos.bicep assigns the role). It acts through the API with a function key from the vault.

@description('Azure region.')
param location string = resourceGroup().location

@description('Tags for every resource.')
param tags object = {}

@description('Suffix that makes resource names unique.')
param token string

@description('Resource ID of the dashboard\'s identity.')
param identityId string

@description('Client ID of the dashboard\'s identity.')
param identityClientId string

@description('Endpoint of the Cosmos DB account that contains the log.')
param cosmosEndpoint string

@description('Login server of the container registry.')
param registryServer string

@description('Dashboard image, with its tag.')
param image string

@description('URL of the API, without /api.')
param apiUrl string

@description('Principal ID of the dashboard\'s identity.')
param principalId string

@description('Name of the key vault that contains the API key.')
param vaultName string

@description('Client ID of the Entra application for sign-in.')
param clientId string

@description('Name of the Log Analytics workspace.')
param workspaceName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
}

resource apiKey 'Microsoft.KeyVault/vaults/secrets@2023-07-01' existing = {
  parent: vault
  name: 'mayfly-api-key'
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(apiKey.id, principalId, secretsUser)
  scope: apiKey
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: 'cae-${token}'
  location: location
  tags: tags
  properties: { appLogsConfiguration: { destination: 'azure-monitor' } }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: environment
  properties: { workspaceId: workspace.id, logs: [{ categoryGroup: 'allLogs', enabled: true }] }
}

resource dashboard 'Microsoft.App/containerApps@2024-03-01' = {
  name: 'ca-dashboard-${token}'
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    managedEnvironmentId: environment.id
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: { external: true, targetPort: 8501, transport: 'auto', stickySessions: { affinity: 'sticky' } }
      registries: [{ server: registryServer, identity: identityId }]
      secrets: [{ name: 'api-key', keyVaultUrl: '${vault.properties.vaultUri}secrets/mayfly-api-key', identity: identityId }]
    }
    template: {
      containers: [
        {
          name: 'dashboard'
          image: image
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: [
            { name: 'AZURE_CLIENT_ID', value: identityClientId }
            { name: 'MAYFLY_STORE', value: 'cosmos' }
            { name: 'MAYFLY_COSMOS_ENDPOINT', value: cosmosEndpoint }
            { name: 'MAYFLY_RUNTIME', value: 'aci' }
            { name: 'MAYFLY_URL', value: apiUrl }
            { name: 'MAYFLY_KEY', secretRef: 'api-key' }
          ]
          probes: [{ type: 'Readiness', httpGet: { path: '/_stcore/health', port: 8501 } }]
        }
      ]
      scale: { minReplicas: 0, maxReplicas: 2 }
    }
  }
  dependsOn: [reads]
}

resource signIn 'Microsoft.App/containerApps/authConfigs@2024-03-01' = {
  parent: dashboard
  name: 'current'
  properties: {
    platform: { enabled: true }
    globalValidation: { unauthenticatedClientAction: 'RedirectToLoginPage', redirectToProvider: 'azureactivedirectory' }
    identityProviders: {
      azureActiveDirectory: {
        registration: {
          openIdIssuer: '${az.environment().authentication.loginEndpoint}${subscription().tenantId}/v2.0'
          clientId: clientId
        }
        validation: { allowedAudiences: ['api://${clientId}', clientId] }
      }
    }
  }
}

output url string = 'https://${dashboard.properties.configuration.ingress.fqdn}'
