// The optional network: one subnet for the app and one for containers. Containers connect out through a NAT gateway and
// cannot be reached from outside. Source: learn.microsoft.com/azure/container-instances/container-instances-virtual-network-concepts

@description('Azure region.')
param location string

@description('Tags for every resource.')
param tags object

@description('Suffix that makes resource names unique.')
param token string

@description('Principal ID of the app, which joins containers to their subnet.')
param appPrincipalId string

resource address 'Microsoft.Network/publicIPAddresses@2024-05-01' = {
  name: 'pip-${token}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource gateway 'Microsoft.Network/natGateways@2024-05-01' = {
  name: 'nat-${token}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: address.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: { addressSpace: { addressPrefixes: ['10.71.0.0/16'] } }
}

resource appSubnet 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' = {
  parent: network
  name: 'app'
  properties: {
    addressPrefix: '10.71.0.0/24'
    delegations: [{ name: 'functions', properties: { serviceName: 'Microsoft.App/environments' } }]
  }
}

resource containerSubnet 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' = {
  parent: network
  name: 'containers'
  properties: {
    addressPrefix: '10.71.4.0/22'
    natGateway: { id: gateway.id }
    delegations: [{ name: 'containers', properties: { serviceName: 'Microsoft.ContainerInstance/containerGroups' } }]
  }
  dependsOn: [appSubnet] // Azure allows one change to a network at a time.
}

resource joinRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'mayfly-subnet-joiner')
  properties: {
    roleName: 'Mayfly subnet joiner ${token}'
    description: 'Join a container group to a subnet, and nothing else.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Network/virtualNetworks/subnets/read'
          'Microsoft.Network/virtualNetworks/subnets/join/action'
        ]
        notActions: []
      }
    ]
    assignableScopes: [resourceGroup().id]
  }
}

resource appJoins 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(containerSubnet.id, appPrincipalId, joinRole.id)
  scope: containerSubnet
  properties: { principalId: appPrincipalId, principalType: 'ServicePrincipal', roleDefinitionId: joinRole.id }
}

output appSubnetId string = appSubnet.id
output containerSubnetId string = containerSubnet.id
