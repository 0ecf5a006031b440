// All of Mayfly in one subscription. This file only composes modules; the decisions are in the modules. The dashboard is
// deployed later (modules/dashboard.bicep, by hooks/after_deploy.sh), because it needs a key of the deployed app.
// There are two resource groups: one for Mayfly, and one that contains only container groups. The role that creates and
// deletes container groups is limited to the second.
targetScope = 'subscription'

@description('Name of the environment, part of the names of the resource groups.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of all resources except the container groups, whose regions are in `places`.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Object ID of the user or pipeline that deploys. It may write secrets and send messages to the queue.')
param principalId string

@description('Type of that principal.')
@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string = 'User'

@description('Places for containers, in order of preference and separated by commas: `region[:spot][:cpu:memory_gb]`. Defaults to `location`.')
param places string = ''

@description('Repository and tag of the worker image in the registry.')
param workerTag string = 'mayfly-worker:1'

@description('Whether Mayfly and its containers run in a virtual network. Only containers in `location` can join it.')
param useNetwork bool = false

@description('Whether orchestrations are kept in a Durable Task Scheduler, which pushes work, instead of Azure Storage, which is polled.')
param useScheduler bool = false

@description('Email address for alerts. If empty, alerts appear only in the portal.')
param alertEmail string = ''

@description('Whether a lock prevents the deletion of the Cosmos DB account that contains the log.')
param lockLog bool = true

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))

resource home 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

resource groups 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}-containers'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: home
  params: { location: location, tags: tags, token: token }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: home
  params: { location: location, tags: tags, token: token, appPrincipalId: identity.outputs.appPrincipalId }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: home
  params: { location: location, tags: tags, token: token, appPrincipalId: identity.outputs.appPrincipalId }
}

module cosmos 'modules/cosmos.bicep' = {
  name: 'cosmos'
  scope: home
  params: {
    location: location
    tags: tags
    token: token
    appPrincipalId: identity.outputs.appPrincipalId
    dashboardPrincipalId: identity.outputs.dashboardPrincipalId
    lock: lockLog
  }
}

module bus 'modules/bus.bicep' = {
  name: 'bus'
  scope: home
  params: {
    location: location
    tags: tags
    token: token
    appPrincipalId: identity.outputs.appPrincipalId
    senderPrincipalId: principalId
    senderPrincipalType: principalType
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: home
  params: {
    location: location
    tags: tags
    name: 'kv-${token}'
    appPrincipalId: identity.outputs.appPrincipalId
    officerPrincipalId: principalId
    officerPrincipalType: principalType
  }
}

module jobVault 'modules/vault.bicep' = {
  name: 'job-vault'
  scope: home
  params: {
    location: location
    tags: tags
    name: 'kv-jobs-${token}'
    appPrincipalId: identity.outputs.appPrincipalId
    officerPrincipalId: principalId
    officerPrincipalType: principalType
  }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  scope: home
  params: {
    location: location
    tags: tags
    token: token
    pullPrincipalIds: [identity.outputs.workerPrincipalId, identity.outputs.dashboardPrincipalId]
  }
}

module network 'modules/network.bicep' = if (useNetwork) {
  name: 'network'
  scope: home
  params: { location: location, tags: tags, token: token, appPrincipalId: identity.outputs.appPrincipalId }
}

module scheduler 'modules/scheduler.bicep' = if (useScheduler) {
  name: 'scheduler'
  scope: home
  params: { location: location, tags: tags, token: token, appPrincipalId: identity.outputs.appPrincipalId }
}

module containers 'modules/groups.bicep' = {
  name: 'containers'
  scope: groups
  params: { appPrincipalId: identity.outputs.appPrincipalId }
}

module quota 'modules/quota.bicep' = {
  name: 'quota-${token}'
  params: { appPrincipalId: identity.outputs.appPrincipalId }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: home
  params: {
    location: location
    tags: tags
    token: token
    identityId: identity.outputs.appId
    identityClientId: identity.outputs.appClientId
    storageName: storage.outputs.name
    packageContainer: storage.outputs.packageContainer
    cosmosEndpoint: cosmos.outputs.endpoint
    busHost: bus.outputs.host
    queueName: bus.outputs.queueName
    vaultUri: vault.outputs.uri
    jobVaultUri: jobVault.outputs.uri
    insightsConnection: monitoring.outputs.insightsConnection
    containerGroupsResourceGroup: groups.name
    places: empty(places) ? location : places
    workerImage: '${registry.outputs.loginServer}/${workerTag}'
    workerIdentityId: identity.outputs.workerId
    appSubnetId: useNetwork ? network!.outputs.appSubnetId : ''
    containerSubnetId: useNetwork ? network!.outputs.containerSubnetId : ''
    schedulerConnection: useScheduler ? '${scheduler!.outputs.connection};ClientID=${identity.outputs.appClientId}' : ''
    schedulerHub: useScheduler ? scheduler!.outputs.hubName : ''
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: home
  params: { location: location, tags: tags, insightsId: monitoring.outputs.insightsId }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: home
  params: {
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    busId: bus.outputs.id
    email: alertEmail
  }
}

output AZURE_RESOURCE_GROUP string = home.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer
output MAYFLY_CONTAINERS_RESOURCE_GROUP string = groups.name
output MAYFLY_REGISTRY_NAME string = registry.outputs.name
output MAYFLY_WORKER_TAG string = workerTag
output MAYFLY_FUNCTION_APP string = app.outputs.name
output MAYFLY_URL string = app.outputs.url
output MAYFLY_KEY_VAULT_NAME string = vault.outputs.name
output MAYFLY_JOB_VAULT_NAME string = jobVault.outputs.name
output MAYFLY_COSMOS_ENDPOINT string = cosmos.outputs.endpoint
output MAYFLY_COSMOS_ACCOUNT string = cosmos.outputs.name
output MAYFLY_SERVICE_BUS string = bus.outputs.host
output MAYFLY_TOKEN string = token
output MAYFLY_WORKSPACE string = monitoring.outputs.workspaceName
output MAYFLY_DASHBOARD_IDENTITY string = identity.outputs.dashboardId
output MAYFLY_DASHBOARD_IDENTITY_CLIENT_ID string = identity.outputs.dashboardClientId
output MAYFLY_DASHBOARD_PRINCIPAL string = identity.outputs.dashboardPrincipalId
