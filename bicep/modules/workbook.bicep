// The workbook: jobs by state and outcome, phase durations, holds and reasons, ARM throttling, leaks, request units.

@description('Azure region.')
param location string

@description('Tags for every resource.')
param tags object

@description('Resource ID of the Application Insights component to query.')
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'mayfly-workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Mayfly'
    category: 'workbook'
    sourceId: insightsId
    serializedData: loadTextContent('../workbook.json')
  }
}
