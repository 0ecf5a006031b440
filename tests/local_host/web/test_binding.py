"""The text that a durable client is built from."""

from __future__ import annotations

from azure.durable_functions import DurableOrchestrationClient

from local_host.web.binding import client_binding


def test_the_sdk_reads_the_binding_and_builds_the_same_links() -> None:
    text = client_binding(public_base="http://h/p", rpc_base="http://h/rpc/", hub_name="Hub", link_query="code=k")
    client = DurableOrchestrationClient(text)
    links = client.create_http_management_payload("job-1")
    assert links["statusQueryGetUri"] == "http://h/p/instances/job-1?code=k"
    assert links["terminatePostUri"] == "http://h/p/instances/job-1/terminate?reason={text}&code=k"
