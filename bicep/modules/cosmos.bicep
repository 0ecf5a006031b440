// The Cosmos DB account that contains the log. The containers and their indexes come from mayfly/cosmos/containers.json,
// which the code reads too. The app may create and read events and rejected messages, and nothing more: no role here
// allows anyone to replace or delete them. Owners of the resource can still delete the account, hence the lock and the
// backup. The dashboard may only read what its pages show. There are no network rules: access requires a role.

@description('Azure region.')
param location string

@description('Tags for every resource.')
param tags object

@description('Suffix that makes resource names unique.')
param token string

@description('Principal ID of the app.')
param appPrincipalId string

@description('Principal ID of the dashboard.')
param dashboardPrincipalId string

@description('Whether a lock prevents the deletion of the account.')
param lock bool

var layout = loadJsonContent('../../mayfly/cosmos/containers.json')
var appendOnly = ['events', 'intake']
var rewritten = ['views', 'figures', 'ledger', 'leases']
var shown = ['events', 'views', 'figures']
var dataContributor = '00000000-0000-0000-0000-000000000002' // Cosmos DB Built-in Data Contributor

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' = {
  name: 'cosmos-${token}'
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [{ locationName: location, failoverPriority: 0 }]
    capabilities: [{ name: 'EnableServerless' }]
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2024-11-15' = {
  parent: account
  name: layout.database
  properties: { resource: { id: layout.database } }
}

// No container has a time to live: it would delete events regardless of roles.
resource containers 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = [
  for container in items(layout.containers): {
    parent: database
    name: container.key
    properties: {
      resource: {
        id: container.key
        partitionKey: container.value.partitionKey
        indexingPolicy: container.value.indexingPolicy
      }
    }
  }
]

resource appendRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: account
  name: guid(account.id, 'job-events-appender')
  properties: {
    roleName: 'Job events appender'
    type: 'CustomRole'
    assignableScopes: [account.id]
    permissions: [
      {
        dataActions: [
          'Microsoft.DocumentDB/databaseAccounts/readMetadata'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/create'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/read'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/readChangeFeed'
        ]
      }
    ]
  }
}

resource readRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: account
  name: guid(account.id, 'job-stores-reader')
  properties: {
    roleName: 'Job stores reader'
    type: 'CustomRole'
    assignableScopes: [account.id]
    permissions: [
      {
        dataActions: [
          'Microsoft.DocumentDB/databaseAccounts/readMetadata'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/read'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery'
          'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/readChangeFeed' // queries of the SDK require it
        ]
      }
    ]
  }
}

// The SDK first reads the metadata of the account, which belongs to no container.
resource metadataRole 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2024-11-15' = {
  parent: account
  name: guid(account.id, 'account-metadata-reader')
  properties: {
    roleName: 'Account metadata reader'
    type: 'CustomRole'
    assignableScopes: [account.id]
    permissions: [{ dataActions: ['Microsoft.DocumentDB/databaseAccounts/readMetadata'] }]
  }
}

resource readsMetadata 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [
  for principal in [appPrincipalId, dashboardPrincipalId]: {
    parent: account
    name: guid(account.id, principal, metadataRole.id)
    properties: { principalId: principal, roleDefinitionId: metadataRole.id, scope: account.id }
  }
]

resource appAppends 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [
  for name in appendOnly: {
    parent: account
    name: guid(account.id, appPrincipalId, appendRole.id, name)
    properties: {
      principalId: appPrincipalId
      roleDefinitionId: appendRole.id
      scope: '${account.id}/dbs/${layout.database}/colls/${name}'
    }
    dependsOn: [containers]
  }
]

resource appRewrites 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [
  for name in rewritten: {
    parent: account
    name: guid(account.id, appPrincipalId, dataContributor, name)
    properties: {
      principalId: appPrincipalId
      roleDefinitionId: '${account.id}/sqlRoleDefinitions/${dataContributor}'
      scope: '${account.id}/dbs/${layout.database}/colls/${name}'
    }
    dependsOn: [containers]
  }
]

resource dashboardReads 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-11-15' = [
  for name in shown: {
    parent: account
    name: guid(account.id, dashboardPrincipalId, readRole.id, name)
    properties: {
      principalId: dashboardPrincipalId
      roleDefinitionId: readRole.id
      scope: '${account.id}/dbs/${layout.database}/colls/${name}'
    }
    dependsOn: [containers]
  }
]

resource kept 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  name: 'the-log-is-kept'
  scope: account
  properties: { level: 'CanNotDelete', notes: 'Protects the log of every job. Read docs/operate.md before you remove this lock.' }
}

output name string = account.name
output endpoint string = account.properties.documentEndpoint
