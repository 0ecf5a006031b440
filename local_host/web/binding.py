"""What does a durable client know about its host? The JSON text that the client parameter receives.

Source: Azure/azure-functions-durable-extension; BindingHelper.cs of the durable extension.
"""

from __future__ import annotations

import json

from local_host.web.bodies import links_body


def client_binding(*, public_base: str, rpc_base: str, hub_name: str, link_query: str) -> str:
    """Return the binding as JSON text.

    Shapes: `public_base` has no slash at the end; `rpc_base` has one.
    """
    creation = f"{public_base}/orchestrators/{{functionName}}[/{{instanceId}}]"
    waiting = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
    return json.dumps(
        {
            "taskHubName": hub_name,
            "connectionName": None,
            "creationUrls": {
                "createNewInstancePostUri": f"{creation}?{link_query}",
                "createAndWaitOnNewInstancePostUri": f"{creation}?{waiting}&{link_query}",
            },
            "managementUrls": links_body("INSTANCEID", base=public_base, query=link_query),
            "baseUrl": public_base,
            "requiredQueryStringParameters": link_query,
            "rpcBaseUrl": rpc_base,
            "httpBaseUrl": None,
        }
    )
