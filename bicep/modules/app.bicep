// The function app on Flex Consumption. Every connection signs in with the app's identity.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Makes names unique.')
param token string

@description('Resource id of the app\'s identity.')
param identityId string

@description('Client id of the app\'s identity.')
param identityClientId string

@description('Storage account of the host.')
param storageName string

@description('Blob container of the package.')
param packageContainer string

@description('Address of the account of the log.')
param cosmosEndpoint string

@description('Host name of the Service Bus namespace.')
param busHost string

@description('Queue that jobs come from.')
param queueName string

@description('Address of the vault of Mayfly\'s own keys, with a slash at its end.')
param vaultUri string

@description('Address of the vault of what jobs refer to.')
param jobVaultUri string

@description('Where telemetry goes.')
param insightsConnection string

@description('Resource group that holds only container groups.')
param containerGroupsResourceGroup string

@description('Where containers run, in order.')
param places string

@description('Image of a job that names none.')
param workerImage string

@description('Resource id of the identity that pulls images.')
param workerIdentityId string

@description('Subnet of the app; empty: none.')
param appSubnetId string

@description('Subnet of the containers; empty: none.')
param containerSubnetId string

@description('Connection of the Durable Task Scheduler; empty: orchestrations are kept in storage.')
param schedulerConnection string

@description('Task hub in the scheduler.')
param schedulerHub string

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: 'func-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(appSubnetId) ? null : appSubnetId
    siteConfig: { minTlsVersion: '1.2', ftpsState: 'Disabled' }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: '3.12' }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        maximumInstanceCount: 40
        // Without an instance that is ready a report would wait for a cold start before its job goes on.
        alwaysReady: [{ name: 'durable', instanceCount: 1 }]
        triggers: { http: { perInstanceConcurrency: 16 } }
      }
    }
  }
}

var schedulerSettings = empty(schedulerConnection)
  ? {}
  : {
      DURABLE_TASK_SCHEDULER_CONNECTION_STRING: schedulerConnection
      AzureFunctionsJobHost__extensions__durableTask__hubName: schedulerHub
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
    }

resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    {
      AZURE_CLIENT_ID: identityClientId
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
      AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
      AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
      APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
      MAYFLY_DATA: '/tmp/mayfly'
      MAYFLY_STORE: 'cosmos'
      MAYFLY_COSMOS_ENDPOINT: cosmosEndpoint
      MAYFLY_COSMOS__accountEndpoint: cosmosEndpoint
      MAYFLY_COSMOS__credential: 'managedidentity'
      MAYFLY_COSMOS__clientId: identityClientId
      MAYFLY_QUEUE: queueName
      MAYFLY_BUS__fullyQualifiedNamespace: busHost
      MAYFLY_BUS__credential: 'managedidentity'
      MAYFLY_BUS__clientId: identityClientId
      MAYFLY_PUBLIC_URL: 'https://${app.properties.defaultHostName}'
      MAYFLY_REPORT_KEY: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/mayfly-report-key)'
      MAYFLY_KEY_VAULT: jobVaultUri
      MAYFLY_RUNTIME: 'aci'
      MAYFLY_SUBSCRIPTION: subscription().subscriptionId
      MAYFLY_RESOURCE_GROUP: containerGroupsResourceGroup
      MAYFLY_PLACES: places
      MAYFLY_WORKER_IMAGE: workerImage
      MAYFLY_WORKER_IDENTITY: workerIdentityId
      MAYFLY_SUBNET: containerSubnetId
    },
    schedulerSettings
  )
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
