// Three managed identities, none of which has a key: for the app, the workers and the dashboard.

@description('Azure region.')
param location string

@description('Tags for every resource.')
param tags object

@description('Suffix that makes resource names unique.')
param token string

// Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles
var managedIdentityOperator = 'f1a07417-d97a-45cb-824c-7a7467783830' // Managed Identity Operator

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-app-${token}'
  location: location
  tags: tags
}

resource worker 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-worker-${token}'
  location: location
  tags: tags
}

resource dashboard 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-dashboard-${token}'
  location: location
  tags: tags
}

// To create a container group with the worker's identity, the app must be allowed to assign that identity.
resource appAssignsWorker 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(worker.id, app.id, managedIdentityOperator)
  scope: worker
  properties: {
    principalId: app.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', managedIdentityOperator)
  }
}

output appId string = app.id
output appClientId string = app.properties.clientId
output appPrincipalId string = app.properties.principalId
output workerId string = worker.id
output workerPrincipalId string = worker.properties.principalId
output dashboardId string = dashboard.id
output dashboardClientId string = dashboard.properties.clientId
output dashboardPrincipalId string = dashboard.properties.principalId
