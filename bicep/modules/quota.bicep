// The app's read access to the subscription as a whole: quotas, pending operations, and metrics. The regional endpoint for
// metrics checks permissions on the subscription instead of the resource.
targetScope = 'subscription'

@description('Principal ID of the app.')
param appPrincipalId string

var monitoringReader = '43d0d8ad-25c7-4714-9337-8ba259a9fe05' // Monitoring Reader

resource reader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, appPrincipalId, 'mayfly-quota-reader')
  properties: {
    roleName: 'Mayfly quota reader ${uniqueString(subscription().id, appPrincipalId)}'
    description: 'Read the usage and the operations of Container Instances in each region.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.ContainerInstance/locations/usages/read'
          'Microsoft.ContainerInstance/locations/operations/read'
          'Microsoft.ContainerInstance/locations/operationResults/read'
        ]
        notActions: []
      }
    ]
    assignableScopes: [subscription().id]
  }
}

resource appReadsQuota 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, appPrincipalId, reader.id)
  properties: { principalId: appPrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: reader.id }
}

resource appReadsMetrics 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, appPrincipalId, monitoringReader)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringReader)
  }
}
