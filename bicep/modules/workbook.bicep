// The workbook: jobs by state and outcome, phase times, holds and reasons, ARM throttling, leaks, request units.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Application Insights resource that it reads.')
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
