// The Service Bus queue that delivers jobs.

@description('Azure region.')
param location string

@description('Tags for every resource.')
param tags object

@description('Suffix that makes resource names unique.')
param token string

@description('Principal ID of the app.')
param appPrincipalId string

@description('Principal ID of the user or pipeline that may send messages.')
param senderPrincipalId string

@description('Type of that principal.')
param senderPrincipalType string

var dataReceiver = '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0' // Azure Service Bus Data Receiver
var dataSender = '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39' // Azure Service Bus Data Sender

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'sb-${token}'
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Standard' }
  properties: { disableLocalAuth: true, minimumTlsVersion: '1.2' }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: 'jobs'
  properties: { lockDuration: 'PT1M', maxDeliveryCount: 10, deadLetteringOnMessageExpiration: true }
}

resource appReceives 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, appPrincipalId, dataReceiver)
  scope: namespace
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataReceiver)
  }
}

resource senderSends 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, senderPrincipalId, dataSender)
  scope: namespace
  properties: {
    principalId: senderPrincipalId
    principalType: senderPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', dataSender)
  }
}

output id string = namespace.id
output host string = '${namespace.name}.servicebus.windows.net'
output queueName string = queue.name
