// The function app on Flex Consumption. Every connection uses the app's managed identity.

@description('Azure region.')
param location string

@description('Tags for every resource.')
param tags object

@description('Suffix that makes resource names unique.')
param token string

@description('Resource ID of the app\'s identity.')
param identityId string

@description('Client ID of the app\'s identity.')
param identityClientId string

@description('Name of the storage account of the Functions host.')
param storageName string

@description('Blob container for the deployment package.')
param packageContainer string

@description('Endpoint of the Cosmos DB account that contains the log.')
param cosmosEndpoint string

@description('Host name of the Service Bus namespace.')
param busHost string

@description('Name of the queue that delivers jobs.')
param queueName string

@description('URI of the vault that contains Mayfly\'s own keys, with a trailing slash.')
param vaultUri string

@description('URI of the vault that contains the secrets that jobs refer to.')
param jobVaultUri string

@description('Connection string of Application Insights.')
param insightsConnection string

@description('Resource group that contains only container groups.')
param containerGroupsResourceGroup string

@description('Places for containers, in order of preference.')
param places string

@description('Image for jobs that do not name one.')
param workerImage string

@description('Resource ID of the identity that pulls images.')
param workerIdentityId string

@description('Resource ID of the app\'s subnet. If empty, the app joins no network.')
param appSubnetId string

@description('Resource ID of the containers\' subnet. If empty, containers join no network.')
param containerSubnetId string

@description('Connection string of the Durable Task Scheduler. If empty, orchestrations are kept in Azure Storage.')
param schedulerConnection string

@description('Name of the task hub in the scheduler.')
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
        // Without an always-ready instance, a report would wait for a cold start before its job continues.
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
