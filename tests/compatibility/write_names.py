# mypy: ignore-errors
"""Write names.json: the public names of 9e4d491. Run on that commit only, as `write_log.py` says.

A name is public if something outside the current code depends on it: a client, a script, a dashboard, a deployment, a
task hub, a worker image, a stored document.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, get_args

import pytest

from mayfly.jobs.events import Source
from mayfly.jobs.job import AttemptOutcome
from mayfly.jobs.lifecycle import STATES, ContainerFact
from mayfly.jobs.spec import ErrorClass
from tests.compatibility import naming, recorded
from tests.compatibility.answering import answers
from tests.compatibility.opened import opened_folder
from tests.triggers.function_host import DurableHost, patch_durable_client

NAMES = Path(__file__).with_name("names.json")
_ACI = {
    "MAYFLY_RUNTIME": "aci",
    "MAYFLY_SUBSCRIPTION": "s",
    "MAYFLY_RESOURCE_GROUP": "rg",
    "MAYFLY_PLACES": "swedencentral",
    "MAYFLY_WORKER_IMAGE": "image:1",
}
_LOCAL_HOST = ("--host 127.0.0.1", "--allow-remote", "--max-body-bytes 1000", "--verbose", "--quiet", "--port 0")
_LOCAL_HOST += ("--app .", "--data data")
_REQUIRED = ("MESSAGE", "CONTAINER_NAME", "MAYFLY_JOB_ID", "MAYFLY_ATTEMPT", "MAYFLY_REPORT_URL", "MAYFLY_REPORT_TOKEN")
_OPTIONAL = ("MAYFLY_WORK_SECONDS", "MAYFLY_REPORT_SECONDS", "MAYFLY_ALIVE_SECONDS", "MAYFLY_LOG_BYTES_MAX")
_OPTIONAL += ("MAYFLY_SECRET_NAMES",)
_COSMOS = {"MAYFLY_STORE": "cosmos", "MAYFLY_COSMOS_ENDPOINT": "https://name.documents.azure.com:443/"}


def main() -> None:
    os.environ["MAYFLY_QUEUE"] = "jobs"  # before the app is imported: it has the queue's function only then
    patch_durable_client(pytest.MonkeyPatch(), DurableHost())
    with tempfile.TemporaryDirectory(prefix="mayfly-names-") as name:
        folder = Path(name)
        with opened_folder(recorded.restore(folder / "data"), at=recorded.killed_at()) as opened:
            document = opened.get("openapi.json")
            answered = {call: sorted(naming.field_paths(found)) for call, found in answers(opened).items()}
            events = opened.get("events")["events"]
        naming.make_files(folder / "fresh")
        tables = naming.tables(folder / "fresh", recorded.DATABASES)
    names = {
        "routes": sorted(f"{m.upper()} {path}" for path, found in document["paths"].items() for m in found),
        "queries": naming.described_queries(document),
        "described_fields": naming.described_fields(document),
        "answered_fields": answered,
        "commands": _commands(),
        "local_host_options": [option.split() for option in _LOCAL_HOST],
        "settings": _settings(),
        "functions": naming.bindings(),
        "external_events": ["attempt-1-ended", "cancel-requested"],
        "event_envelope": sorted({name for event in events for name in event}),
        "events": {event["type"]: sorted(event["data"]) for event in sorted(events, key=lambda one: one["type"])},
        "values": {
            "source": list(get_args(Source)),
            "state": list(STATES),
            "container": list(get_args(ContainerFact)),
            "outcome": list(get_args(AttemptOutcome)),
            "error": list(get_args(ErrorClass)),
        },
        "cosmos": {
            "database": naming.database(),
            "containers": naming.containers(),
            "fields": {name: sorted(set().union(*items)) for name, items in recorded.cosmos().items() if items},
        },
        "tables": tables,
        "worker": {
            "given": [*_REQUIRED, "MAYFLY_ALIVE_SECONDS", "MAYFLY_SECRET_NAMES"],
            "read": [*_REQUIRED, *_OPTIONAL],
        },
    }
    NAMES.write_text(json.dumps(names, indent=1) + "\n")


def _commands() -> dict[str, Any]:
    group = naming.command_line()
    found = {}
    for name, command in group.commands.items():
        options = [one for one in command.params if one.param_type_name == "option"]
        required = [one for one in command.params if one.param_type_name == "argument" and one.required]
        found[name] = {
            "options": [[text, *_sample(one)] for one in options for text in (*one.opts, *one.secondary_opts)],
            "arguments": ["ada-abcdefghij" for _ in required],
            "variables": sorted(str(one.envvar) for one in options if one.envvar),
        }
    return found


def _sample(option: Any) -> list[str]:
    if option.is_flag:
        return []
    wanted = str(option.type_descriptor.annotation)
    return ["2" if "int" in wanted else "1.5" if "float" in wanted else "a=b"]


def _settings() -> list[dict[str, Any]]:
    samples = [
        ("MAYFLY_DATA", "elsewhere", {}),
        ("MAYFLY_STORE", "cosmos", {"MAYFLY_COSMOS_ENDPOINT": "https://name.documents.azure.com:443/"}),
        ("MAYFLY_COSMOS_ENDPOINT", "https://name.documents.azure.com:443/", {"MAYFLY_STORE": "cosmos"}),
        ("MAYFLY_COSMOS_KEY", "a-key", _COSMOS),
        ("MAYFLY_RUNTIME", "aci", {name: value for name, value in _ACI.items() if name != "MAYFLY_RUNTIME"}),
        ("MAYFLY_PUBLIC_URL", "http://127.0.0.1:7072", {}),
        ("MAYFLY_REPORT_KEY", "another key of at least 32 bytes in all", {}),
        ("MAYFLY_GROUPS_MAX", "7", {}),
        ("MAYFLY_KEY_VAULT", "https://name.vault.azure.net", {}),
        *((name, value, {k: v for k, v in _ACI.items() if k != name}) for name, value in [*_ACI.items()][1:]),
        ("MAYFLY_WORKER_IDENTITY", "identity", _ACI),
        ("MAYFLY_SUBNET", "subnet", _ACI),
        ("MAYFLY_LOG_WORKSPACE", "workspace", _ACI),
        ("MAYFLY_LOG_WORKSPACE_KEY", "workspace-key", _ACI),
        ("MAYFLY_METRICS", "off", _ACI),
        ("MAYFLY_METRICS_AUDIENCE", "https://metrics.example", _ACI),
        ("MAYFLY_CPU_HOUR_USD", "0.5", _ACI),
        ("MAYFLY_MEMORY_GB_HOUR_USD", "0.5", _ACI),
        ("MAYFLY_ARM_ENDPOINT", "https://management.example", _ACI),
    ]
    return [{"name": name, "value": value, "with": needed} for name, value, needed in samples]


if __name__ == "__main__":
    main()
