// The alerts. docs/operate.md has a runbook for each one, under its name.

@description('Azure region.')
param location string

@description('Tags for every resource.')
param tags object

@description('Resource ID of the Application Insights component to query.')
param insightsId string

@description('Resource ID of the Service Bus namespace.')
param busId string

@description('Email address for alerts. If empty, alerts appear only in the portal.')
param email string

var events = 'traces | where customDimensions has "mayfly.event" | extend event = tostring(customDimensions["mayfly.event"]), job = tostring(customDimensions["mayfly.job_id"])'

var queries = [
  {
    name: 'failure-rate'
    text: 'In the last hour, at least five jobs and more than a fifth of all that ended failed or timed out.'
    query: '${events} | where event in ("JobSucceeded", "JobFailed", "JobTimedOut") | summarize ended = dcount(job), bad = dcountif(job, event != "JobSucceeded") | where bad >= 5 and bad * 5 > ended'
    window: 'PT1H'
  }
  {
    name: 'leak'
    text: 'A container group exists that the log does not expect, or one still exists half an hour after its deletion was requested.'
    query: '${events} | where event in ("ContainerFound", "ContainerDeleteRequested", "ContainerGone") | summarize asked = minif(timestamp, event == "ContainerDeleteRequested"), found = countif(event == "ContainerFound"), gone = countif(event == "ContainerGone") by job | where found > 0 or (gone == 0 and asked < ago(30m))'
    window: 'PT2H'
  }
  {
    name: 'projector-lag'
    text: 'The views are more than a minute behind the log.'
    query: 'customMetrics | where name == "mayfly.projector.lag" | summarize worst = max(valueMax) | where worst > 60'
    window: 'PT15M'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'mayfly'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'mayfly'
    enabled: true
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource queryAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for one in queries: {
    name: one.name
    location: location
    tags: tags
    properties: {
      displayName: 'Mayfly: ${one.name}'
      description: one.text
      severity: 2
      enabled: true
      scopes: [insightsId]
      evaluationFrequency: 'PT15M'
      windowSize: one.window
      criteria: {
        allOf: [{ query: one.query, timeAggregation: 'Count', operator: 'GreaterThan', threshold: 0 }]
      }
      actions: { actionGroups: empty(email) ? [] : [people.id] }
    }
  }
]

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'A message was not a valid job and is in the dead-letter queue.'
    severity: 3
    enabled: true
    scopes: [busId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: empty(email) ? [] : [{ actionGroupId: people.id }]
  }
}
