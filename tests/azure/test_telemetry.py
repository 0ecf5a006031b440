"""The telemetry of a run on Azure: spans of its SDK name their job, and nothing secret is exported."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
from azure.core.settings import settings

from mayfly.jobs.spec import JobSpec, RetryPolicy
from mayfly.telemetry import job_context
from tests.azure.clocked import on_azure
from tests.fake_arm.backing import Course
from tests.mayfly.exported import Exported, exporting

_SECRET = "planted-S3cr3t-value"  # as in clocked.py


@pytest.fixture
def exported() -> Iterator[Exported]:
    """With the tracing of Azure's SDKs switched on, and every record down to those for people who debug."""
    settings.tracing_implementation = "opentelemetry"
    with exporting(logging.DEBUG) as found:
        yield found
    settings.tracing_implementation.unset_value()


def test_each_request_to_azure_is_a_span_about_its_job(exported: Exported) -> None:
    async def story() -> str:
        async with on_azure() as azure:
            job_id = await azure.submit()
            await azure.run()
            assert (await azure.job(job_id)).settled
            return job_id

    job_id = asyncio.run(story())
    about = {one.name: dict(one.attributes or {}) for one in exported.spans.get_finished_spans()}
    assert {"PUT", "GET", "DELETE"} <= {name.partition(" ")[0] for name in about}
    assert {attributes.get(job_context.JOB_ID) for attributes in about.values()} == {job_id}
    changes = [attributes for name, attributes in about.items() if name.startswith(("PUT", "DELETE"))]
    assert {attributes[job_context.ATTEMPT] for attributes in changes} == {1}


def test_no_secret_and_no_token_is_exported_even_on_errors(exported: Exported) -> None:
    """I8."""

    async def story() -> None:
        codes = iter([0, 3, 3, 0, 0, 0, 0, 0])
        async with on_azure(places="swedencentral,westeurope", course=lambda _: Course(exit_code=next(codes))) as azure:
            spec = JobSpec(message="hi", secrets={"PASSWORD": "db-password"}, retry=RetryPolicy(max_attempts=2))
            job_ids = [await azure.submit(spec)]
            await azure.run()
            job_ids.append(await azure.submit(spec))
            await azure.run()
            for switch in ("os_version", "connection_lost", "server_error", "capacity", "forbidden"):
                azure.arm.switch(switch)
                job_ids.append(await azure.submit(spec))
                await azure.run()
            job_ids.append(await azure.submit(spec.model_copy(update={"secrets": {"PASSWORD": "not-there"}})))
            await azure.run()
            states = [(await azure.job(job_id)).state for job_id in job_ids]
            assert states == ["succeeded", "failed", "failed", *["succeeded"] * 4, "failed"]
            given = [inside.env for inside in azure.arm.accepted]
            assert {env["PASSWORD"] for env in given} == {_SECRET}
            told = exported.everything()
            assert all(job_id in told for job_id in job_ids)
            assert _SECRET not in told
            assert [env["MAYFLY_REPORT_TOKEN"] for env in given if env["MAYFLY_REPORT_TOKEN"] in told] == []

    asyncio.run(story())
    assert "warn" in exported.everything().lower(), "the failures were reported"
