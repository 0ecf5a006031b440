"""Every setting, with its default and its meaning: the source of docs/settings.md.

`python -m mayfly.settings_table > docs/settings.md` writes the page, and a test fails when it is stale.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One environment variable."""

    name: str
    default: str
    """As shown to readers; empty if the setting is required."""
    meaning: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Settings that are read together."""

    title: str
    note: str
    settings: tuple[Setting, ...]


def _setting(name: str, default: str, meaning: str) -> Setting:
    return Setting(name=name, default=default, meaning=meaning)


GROUPS = (
    Group(
        title="Function app",
        note="Read once, when the process starts. An invalid value stops it with a message that names the setting.",
        settings=(
            _setting("MAYFLY_DATA", "`.mayfly`", "folder for local stores, containers and keys"),
            _setting("MAYFLY_STORE", "`sqlite`", "`sqlite`, or `cosmos` for Cosmos DB"),
            _setting(
                "MAYFLY_COSMOS_ENDPOINT",
                "required with `cosmos`",
                "address of the account: `https://NAME.documents.azure.com:443/`",
            ),
            _setting(
                "MAYFLY_COSMOS_KEY",
                "none: the identity of the process",
                "account key, for emulators; in Azure, keys are disabled",
            ),
            _setting(
                "MAYFLY_QUEUE",
                "none; `jobs` with `mayfly up`",
                "queue to receive jobs from; without it, no queue is read",
            ),
            _setting("MAYFLY_RUNTIME", "`processes`", "`processes` on this machine, or `aci`"),
            _setting("MAYFLY_PUBLIC_URL", "`http://127.0.0.1:7071`", "address that workers report to, without `/api`"),
            _setting(
                "MAYFLY_REPORT_KEY",
                "generated in `MAYFLY_DATA` on first use",
                "key that signs report tokens; at least 32 bytes",
            ),
            _setting("MAYFLY_GROUPS_MAX", "`100`", "maximum number of local container groups; further jobs are held"),
            _setting(
                "MAYFLY_KEY_VAULT",
                "none: `MAYFLY_SECRET_*` variables",
                "address of the Key Vault that secret references resolve in",
            ),
            _setting(
                "MAYFLY_SECRET_*",
                "none",
                "value of a secret without Key Vault: `db-password` is `MAYFLY_SECRET_DB_PASSWORD`",
            ),
        ),
    ),
    Group(
        title="Azure Container Instances",
        note="Read with `MAYFLY_RUNTIME=aci`.",
        settings=(
            _setting("MAYFLY_SUBSCRIPTION", "", "subscription id"),
            _setting("MAYFLY_RESOURCE_GROUP", "", "resource group for container groups; use it for nothing else"),
            _setting(
                "MAYFLY_PLACES",
                "",
                "places in order of preference, each `region[:spot][:cpu:memory_gb]`: "
                "`swedencentral,westeurope:spot:4:16`",
            ),
            _setting("MAYFLY_WORKER_IMAGE", "", "image for jobs that do not name one"),
            _setting(
                "MAYFLY_WORKER_IDENTITY", "none", "resource id of the identity that pulls from Azure Container Registry"
            ),
            _setting(
                "MAYFLY_SUBNET",
                "none",
                "resource id of a subnet delegated to container groups; spot places do not use it",
            ),
            _setting("MAYFLY_LOG_WORKSPACE", "none", "id of a Log Analytics workspace for the containers' output"),
            _setting("MAYFLY_LOG_WORKSPACE_KEY", "none", "key of that workspace"),
            _setting("MAYFLY_METRICS", "`on`", "`off`: do not read metrics from Azure Monitor"),
            _setting(
                "MAYFLY_METRICS_AUDIENCE",
                "`https://metrics.monitor.azure.com`",
                "token audience for metrics; differs in sovereign clouds",
            ),
            _setting("MAYFLY_CPU_HOUR_USD", "`0.0405`", "price of one core for one hour, for cost estimates"),
            _setting("MAYFLY_MEMORY_GB_HOUR_USD", "`0.00445`", "price of one GB of memory for one hour"),
            _setting(
                "MAYFLY_ARM_ENDPOINT",
                "`https://management.azure.com`",
                "Resource Manager endpoint; `http://` addresses, for tests, get no token",
            ),
        ),
    ),
    Group(
        title="Trigger connections",
        note="Read by the Functions host, not by Mayfly. In Azure they are identity-based: "
        "`bicep/modules/app.bicep` sets `NAME__accountEndpoint` and the like.",
        settings=(
            _setting("MAYFLY_COSMOS", "set by `mayfly up`", "change feed of the log"),
            _setting("MAYFLY_BUS", "not needed locally", "namespace of the queue `MAYFLY_QUEUE`"),
        ),
    ),
    Group(
        title="CLI and dashboard",
        note="The dashboard also reads the settings of the stores and the two prices.",
        settings=(
            _setting("MAYFLY_URL", "`http://127.0.0.1:7071`", "address of the API, without `/api`"),
            _setting(
                "MAYFLY_KEY",
                "the local host's key, found in `MAYFLY_DATA`",
                "function key of the API",
            ),
        ),
    ),
)


def names() -> set[str]:
    """Return the names of all settings; `MAYFLY_SECRET_*` stands for a family of them."""
    return {setting.name for group in GROUPS for setting in group.settings}


def page() -> str:
    """Return docs/settings.md."""
    lines = [
        "<!-- Generated by `python -m mayfly.settings_table`; do not edit. -->",
        "# Settings",
        "",
        "Mayfly is configured through environment variables. Locally, none is required. In Azure,",
        "`bicep/modules/app.bicep` sets them. Settings of the worker process are in the",
        "[worker contract](worker-contract.md#environment).",
    ]
    for group in GROUPS:
        lines += ["", f"## {group.title}", "", group.note, "", "| variable | default | meaning |", "|---|---|---|"]
        lines += [f"| {one.name} | {one.default or 'required'} | {one.meaning} |" for one in group.settings]
    lines += [
        "",
        "The default prices are for East US, from the Retail Prices API (Container Instances, August 2026). Query",
        "https://prices.azure.com/api/retail/prices for your region.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
