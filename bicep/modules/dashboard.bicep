// The dashboard on Container Apps. Nobody gets past the platform's sign-in. Behind it the dashboard reads log, views and
// figures with its own identity (cosmos.bicep gives it the role), and acts with a function key of the API, from the vault.

@description('Region.')
param location string = resourceGroup().location

@description('Tags of every resource.')
param tags object = {}

@description('Makes names unique.')
param token string

@description('Resource id of the dashboard\'s identity.')
param identityId string

@description('Client id of the dashboard\'s identity.')
param identityClientId string

@description('Address of the account of the log.')
param cosmosEndpoint string

@description('Address of the registry.')
param registryServer string

@description('Image, with its tag.')
param image string

@description('Address of the API, without /api.')
param apiUrl string

@description('Principal of the dashboard\'s identity.')
param principalId string

@description('Key vault that holds the API\'s key.')
param vaultName string

@description('Client id of the Entra application that people sign in with.')
param clientId string

@description('Log Analytics workspace.')
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
