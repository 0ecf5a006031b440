"""Every Bicep file parses, and its roles, types and settings match lists that name their source."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

from mayfly.jobs.events import KINDS
from mayfly.settings import StoreSettings, read_store_settings
from tests.bicep.files import (
    BICEP,
    FILES,
    MAIN,
    ROOT,
    block,
    faults,
    modules,
    outputs,
    parameters,
    resources,
    text,
    tree,
)

HERE = Path(__file__).parent
COSMOS = BICEP / "modules" / "cosmos.bicep"
DASHBOARD = BICEP / "modules" / "dashboard.bicep"
APPEND_ACTIONS = [
    "Microsoft.DocumentDB/databaseAccounts/readMetadata",
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/create",
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/read",
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery",
    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/readChangeFeed",
]
"""Source: learn.microsoft.com/azure/cosmos-db/nosql/reference-data-plane-security"""

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


@each_file
def test_the_file_parses(path: Path) -> None:
    assert list(faults(tree(path))) == []


def test_the_parser_finds_a_fault(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.bicep"
    wrong.write_text("resource x 'A/b@1' = {\n  name: \n")
    assert list(faults(tree(wrong))) != []


@each_file
def test_every_parameter_is_described(path: Path) -> None:
    assert [one.name for one in parameters(path) if not one.description] == []
    assert len(parameters(path)) == len(re.findall(r"^param ", text(path), re.MULTILINE))


def test_every_resource_type_and_version_is_in_the_checked_list() -> None:
    listed = json.loads((HERE / "resource_types.json").read_text(encoding="utf-8"))["types"]
    assert sorted({one for path in FILES for one in resources(path)}) == listed


def test_every_role_is_known_and_named_next_to_its_id() -> None:
    known = json.loads((HERE / "roles.json").read_text(encoding="utf-8"))["roles"]
    found = {}
    for path in FILES:
        for role, name in re.findall(r"'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})' *// (.+)", path.read_text()):
            found[role] = name.strip()
        ids = set(re.findall(r"'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'", text(path)))
        assert ids <= set(found), path
    assert found == known


def test_no_module_comes_from_a_registry_and_every_module_gets_its_required_parameters() -> None:
    for path in FILES:
        assert "br:" not in text(path)
        assert not re.search(r"'(br|ts)[:/]", text(path))
    for name, module in modules(MAIN).items():
        assert module.exists(), module
        given = block(MAIN, f"module {name} '")
        inside = given[given.index("params:") :]
        passed = set(re.findall(r"[{,\n] *(\w+):", inside)) - {"params"}
        asked = {one.name: one for one in parameters(module)}
        assert passed <= set(asked), f"{name} is given a parameter that it does not declare"
        assert {one.name for one in asked.values() if not one.has_default} <= passed, f"{name} is given too little"
    used = set(modules(MAIN).values()) | {BICEP / "modules" / "dashboard.bicep"}
    assert used == {path for path in FILES if path != MAIN}


def test_every_output_that_is_used_exists() -> None:
    for path in FILES:
        for name, output in re.findall(r"\b(\w+)!?\.outputs\.(\w+)", text(path)):
            assert output in outputs(modules(path)[name]), f"{path.name}: {name}.outputs.{output}"


def test_the_app_may_only_append_to_the_log() -> None:
    role = block(COSMOS, "resource appendRole")
    assert re.findall(r"'(Microsoft\.DocumentDB/databaseAccounts/(?!sqlRole)[\w/]+)'", role) == APPEND_ACTIONS
    assert "type: 'CustomRole'" in role
    whole = text(COSMOS)
    assert "*" not in role
    for word in ("/replace'", "/upsert'", "/delete'", "items/*'", "containers/*'"):
        assert word not in whole
    assert "var appendOnly = ['events', 'intake']" in whole
    assert "var rewritten = ['views', 'figures', 'ledger', 'leases']" in whole
    assert "for name in appendOnly" in block(COSMOS, "resource appAppends")
    assert "roleDefinitionId: appendRole.id" in block(COSMOS, "resource appAppends")
    assert "colls/${name}" in block(COSMOS, "resource appRewrites")
    layout = json.loads((ROOT / "mayfly/cosmos/containers.json").read_text(encoding="utf-8"))
    assert set(layout["containers"]) == {"events", "intake", "views", "figures", "ledger", "leases"}, (
        "say which role the app has on it"
    )


def test_nothing_ever_expires_from_the_log() -> None:
    layout = (ROOT / "mayfly/cosmos/containers.json").read_text(encoding="utf-8")
    for whole in (text(COSMOS), layout):
        assert not re.search(r"defaultTtl|\bttl\b|analyticalStorageTtl", whole, re.IGNORECASE)


def test_the_containers_come_from_the_file_that_the_code_reads() -> None:
    assert "loadJsonContent('../../mayfly/cosmos/containers.json')" in text(COSMOS)
    assert "indexingPolicy: container.value.indexingPolicy" in text(COSMOS)


@each_file
def test_there_are_no_keys_and_no_secrets(path: Path) -> None:
    whole = text(path)
    assert not re.search(r"listKeys|listSecrets|listConnectionStrings|AccountKey|SharedAccessKey|@secure", whole)
    secret = re.compile(r"password|secret|key(?!Vault)|token$", re.IGNORECASE)
    assert [one.name for one in parameters(path) if secret.search(one.name) and one.name != "token"] == []
    assert not any("connectionstring" in one.lower() for one in outputs(path))


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("storage", ["allowSharedKeyAccess: false", "allowBlobPublicAccess: false", "minimumTlsVersion: 'TLS1_2'"]),
        ("cosmos", ["disableLocalAuth: true", "disableKeyBasedMetadataWriteAccess: true", "'EnableServerless'"]),
        ("bus", ["disableLocalAuth: true"]),
        ("monitoring", ["DisableLocalAuth: true"]),
        ("registry", ["adminUserEnabled: false"]),
        ("vault", ["enableRbacAuthorization: true", "enablePurgeProtection: true"]),
        ("app", ["httpsOnly: true", "keyVaultReferenceIdentity: identityId", "name: 'FC1'"]),
        (
            "dashboard",
            [
                "unauthenticatedClientAction: 'RedirectToLoginPage'",
                "keyVaultUrl: '${vault.properties.vaultUri}secrets/mayfly-api-key'",
            ],
        ),
    ],
)
def test_only_identities_open_it(file: str, words: list[str]) -> None:
    whole = text(BICEP / "modules" / f"{file}.bicep")
    assert [word for word in words if word not in whole] == []


def test_the_vault_with_the_secrets_of_jobs_holds_no_key_of_mayfly() -> None:
    vaults = dict(re.findall(r"module (\w+) 'modules/vault.bicep'.*?\n    name: '([^']+)'", text(MAIN), re.DOTALL))
    assert set(vaults) == {"vault", "jobVault"}
    assert vaults["vault"] != vaults["jobVault"]
    assert all(len(name.replace("${token}", "x" * 13)) <= 24 for name in vaults.values()), (
        "a vault's name has 24 at most"
    )
    settings = block(BICEP / "modules" / "app.bicep", "properties: union(")
    assert "MAYFLY_KEY_VAULT: jobVaultUri" in settings
    assert "MAYFLY_REPORT_KEY: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/" in settings
    assert "jobVaultUri: jobVault.outputs.uri" in block(MAIN, "module app '")
    for hook in (BICEP / "hooks").iterdir():
        assert "MAYFLY_JOB_VAULT_NAME" not in hook.read_text(encoding="utf-8")


def test_the_dashboard_may_only_read_what_its_pages_show() -> None:
    """It also pulls its image and reads one secret."""
    role = block(COSMOS, "resource readRole")
    actions = re.findall(r"'(Microsoft\.DocumentDB/databaseAccounts/(?!sqlRole)[\w/]+)'", role)
    assert actions == [action for action in APPEND_ACTIONS if not action.endswith("/create")]
    assert "type: 'CustomRole'" in role
    assert "*" not in role
    metadata = block(COSMOS, "resource metadataRole")
    assert re.findall(r"dataActions: (.*) \}", metadata) == ["['Microsoft.DocumentDB/databaseAccounts/readMetadata']"]
    assert "var shown = ['events', 'views', 'figures']" in text(COSMOS)
    reads = block(COSMOS, "resource dashboardReads")
    assert "for name in shown" in reads
    assert "roleDefinitionId: readRole.id" in reads
    assert "colls/${name}" in reads
    assert "[appPrincipalId, dashboardPrincipalId]" in block(COSMOS, "resource readsMetadata")
    # Its name, these two, and the parameter: it is given nothing else in this account.
    assert len(re.findall(r"\bdashboardPrincipalId\b", text(COSMOS))) == 4

    given = {path.name for path in FILES if re.search(r"dashboardPrincipalId\b", text(path))}
    assert given == {"identity.bicep", "main.bicep", "cosmos.bicep"}
    assert len(re.findall(r"identity\.outputs\.dashboardPrincipalId", text(MAIN))) == 3
    for module in ("module registry", "module cosmos", "output MAYFLY_DASHBOARD_PRINCIPAL"):
        assert module in text(MAIN)
    assert "dashboardPrincipalId: identity.outputs.dashboardPrincipalId" in block(MAIN, "module cosmos")
    assert "identity.outputs.dashboardPrincipalId" in block(MAIN, "module registry")
    assert re.findall(r"scope: (\w+)\n  properties: {\n    principalId", text(DASHBOARD)) == ["apiKey"]


def test_the_dashboard_reads_only_containers_of_its_role() -> None:
    """The template lists the containers that `compose_read_only` opens."""
    opened = block(ROOT / "mayfly" / "composition.py", "def _read_only_in_cosmos")
    modules_of = set(re.findall(r"from (mayfly\.\w+\.cosmos\.\w+) import", opened)) - {"mayfly.cosmos.account"}
    containers = {importlib.import_module(name).CONTAINER for name in modules_of}
    assert containers == {"events", "views", "figures"}


def _of_the_dashboard() -> dict[str, str]:
    """Return the settings of the dashboard in the template: name to value, or to the secret's name."""
    env = block(DASHBOARD, "env: [")
    return dict(re.findall(r"\{ name: '(\w+)', (?:value|secretRef): '?([^' ]+)'? \}", env))


def test_the_dashboard_starts_with_what_the_template_sets() -> None:
    given = _of_the_dashboard()
    names = {f"MAYFLY_{field.upper()}" for field in StoreSettings.model_fields}
    settings = read_store_settings({**given, "MAYFLY_COSMOS_ENDPOINT": "https://mayfly.documents.azure.com:443/"})
    assert (settings.store, settings.cosmos_key) == ("cosmos", None)
    assert settings.prices.cpu_hour > 0
    # Settings that the template omits have a default in the table; keys are for emulators.
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    defaults = {
        name
        for name, default in re.findall(r"^\| (MAYFLY_\w+) \| ?([^|]*?) ?\|", table, re.MULTILINE)
        if default != "required"
    }
    assert names - set(given) <= defaults
    assert names - set(given) == {
        "MAYFLY_DATA", "MAYFLY_COSMOS_KEY", "MAYFLY_CPU_HOUR_USD", "MAYFLY_MEMORY_GB_HOUR_USD",
    }  # fmt: skip
    read = {
        name
        for path in (ROOT / "streamlit_dashboard").rglob("*.py")
        for name in re.findall(r"environ\S*\(\"(\w+)\"", path.read_text(encoding="utf-8"))
    }
    assert read == {"MAYFLY_URL", "MAYFLY_KEY"}
    assert set(given) == read | (names & set(given)) | {"AZURE_CLIENT_ID"}
    assert given["AZURE_CLIENT_ID"] == "identityClientId"
    assert given["MAYFLY_COSMOS_ENDPOINT"] == "cosmosEndpoint"
    assert "dashboardClientId string = dashboard.properties.clientId" in text(BICEP / "modules" / "identity.bicep")
    hook = (BICEP / "hooks" / "after_deploy.sh").read_text(encoding="utf-8")
    assert 'identityClientId="$MAYFLY_DASHBOARD_IDENTITY_CLIENT_ID"' in hook
    assert 'cosmosEndpoint="$MAYFLY_COSMOS_ENDPOINT"' in hook


def test_the_app_reaches_container_groups_only_in_their_own_resource_group() -> None:
    role = block(BICEP / "modules" / "groups.bicep", "resource runner")
    assert re.findall(r"'(Microsoft\.ContainerInstance/[\w/]+)'", role) == [
        "Microsoft.ContainerInstance/containerGroups/read",
        "Microsoft.ContainerInstance/containerGroups/write",
        "Microsoft.ContainerInstance/containerGroups/delete",
        "Microsoft.ContainerInstance/containerGroups/containers/logs/read",
        "Microsoft.ContainerInstance/containerGroups/operationResults/read",
    ]
    assert "scope: groups" in block(MAIN, "module containers")
    beyond = block(BICEP / "modules" / "quota.bicep", "resource reader")
    assert all(action.endswith("/read") for action in re.findall(r"'(Microsoft\.ContainerInstance/[\w/]+)'", beyond))


def test_azd_finds_its_module_its_service_and_its_parameters() -> None:
    azure = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    assert (ROOT / "bicep" / "main.bicep").exists()
    assert "path: bicep" in azure
    for service in re.findall(r"^  (\w+):\n    project:", azure, re.MULTILINE):
        assert f"'azd-service-name': '{service}'" in text(BICEP / "modules" / "app.bicep")
    for hook in re.findall(r"run: (\S+)", azure):
        path = ROOT / hook
        assert path.stat().st_mode & 0o100, f"{hook} cannot be run"
        known = outputs(MAIN) | {"MAYFLY_DASHBOARD_CLIENT_ID"}
        assert set(re.findall(r"\$\{?([A-Z][A-Z_]+)", path.read_text(encoding="utf-8"))) <= known, hook
    given = json.loads((BICEP / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    asked = {one.name: one for one in parameters(MAIN)}
    assert set(given) <= set(asked)
    assert {one.name for one in asked.values() if not one.has_default} <= set(given)


def test_the_hook_passes_every_required_parameter_of_the_dashboards_module() -> None:
    hook = (BICEP / "hooks" / "after_deploy.sh").read_text(encoding="utf-8")
    asked = {one.name for one in parameters(BICEP / "modules" / "dashboard.bicep") if not one.has_default}
    assert set(re.findall(r"(?<![-\w])(\w+)=\"\$", hook)) - {"image"} | {"image"} == asked


def _set_by_bicep() -> set[str]:
    settings = block(BICEP / "modules" / "app.bicep", "properties: union(")
    return set(re.findall(r"^ +(\w+): ", settings, re.MULTILINE))


def test_each_setting_that_the_code_reads_is_set_or_has_a_default() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (MAYFLY_\w+) \| ?([^|]*?) ?\|", table, re.MULTILINE)
    assert len(rows) >= 8
    needed = {name for name, default in rows if not default or "required" in default or name == "MAYFLY_REPORT_KEY"}
    assert needed <= _set_by_bicep()
    read = set()
    for folder in ("mayfly", "triggers", "orchestrations"):
        for path in (ROOT / folder).rglob("*.py"):
            # `cli` runs on laptops, and the local runtime passes its own names to its own processes.
            if not {"cli", "containers"} & set(path.parts):
                read |= set(re.findall(r"\"(MAYFLY_[A-Z_]+)\"", path.read_text(encoding="utf-8")))
    documented = {name for name, _ in rows}
    connections = {"MAYFLY_COSMOS", "MAYFLY_BUS"}
    for connection in connections:
        assert any(name.startswith(f"{connection}__") for name in _set_by_bicep())
    of_workers = {
        name
        for name in read
        if name.startswith(("MAYFLY_JOB_", "MAYFLY_ATTEMPT", "MAYFLY_REPORT_", "MAYFLY_WORK_"))
        or name in ("MAYFLY_HEARTBEAT_SECONDS", "MAYFLY_ALIVE_SECONDS")
    }
    of_secrets = {name for name in read if name.startswith("MAYFLY_SECRET_")}  # of a laptop and of workers
    assert read - documented - connections - of_workers - of_secrets == set()


def test_every_setting_that_is_set_is_read() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    ours = {name for name in _set_by_bicep() if name.startswith("MAYFLY_") and "__" not in name}
    documented = set(re.findall(r"^\| (MAYFLY_\w+) \|", table, re.MULTILINE))
    # Until the Container Instances runtime is in this tree its settings are described elsewhere.
    if "MAYFLY_SUBSCRIPTION" in documented:
        assert ours <= documented


def test_every_alert_has_a_runbook_and_the_workbook_is_json() -> None:
    operate = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    alerts = re.findall(r"^ *name: '([a-z-]+)'$", text(BICEP / "modules" / "alerts.bicep"), re.MULTILINE)
    for name in {"failure-rate", "leak", "projector-lag", "dead-letters"}:
        assert name in alerts
        assert f"### {name}" in operate
    workbook = json.loads((BICEP / "workbook.json").read_text(encoding="utf-8"))
    titles = [item["content"].get("title", "") for item in workbook["items"]]
    assert len(set(titles)) == len(titles)


def test_the_queries_name_events_and_measures_that_exist() -> None:
    source = (BICEP / "workbook.json").read_text(encoding="utf-8") + text(BICEP / "modules" / "alerts.bicep")
    names = set(re.findall(r"\b((?:Job|Container|Worker|Attempt)[A-Z]\w+)\b", source.replace('\\"', '"')))
    assert names - set(KINDS) - {"ContainerInstance"} == set()
    telemetry = "".join(
        (ROOT / "mayfly" / name).read_text(encoding="utf-8")
        for name in ("telemetry/job_context.py", "cosmos/account.py")
    )
    for name in set(re.findall(r"mayfly\.[a-z_.]+[a-z]", source)):
        assert f'"{name}"' in telemetry, name
