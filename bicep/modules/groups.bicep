// The app's permissions in the resource group for container groups: create, inspect, read logs, delete.

@description('Principal ID of the app.')
param appPrincipalId string

resource runner 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'mayfly-container-runner')
  properties: {
    roleName: 'Mayfly container runner ${uniqueString(resourceGroup().id)}'
    description: 'Create, inspect and delete container groups and read their logs; no exec, no start, no network.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.ContainerInstance/containerGroups/read'
          'Microsoft.ContainerInstance/containerGroups/write'
          'Microsoft.ContainerInstance/containerGroups/delete'
          'Microsoft.ContainerInstance/containerGroups/containers/logs/read'
          'Microsoft.ContainerInstance/containerGroups/operationResults/read'
        ]
        notActions: []
      }
    ]
    assignableScopes: [resourceGroup().id]
  }
}

resource appRuns 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, appPrincipalId, runner.id)
  properties: { principalId: appPrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: runner.id }
}
