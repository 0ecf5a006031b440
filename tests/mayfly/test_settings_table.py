"""The settings page has a row for every setting, with its default."""

from __future__ import annotations

from mayfly import settings_table
from mayfly.settings import AciSettings, QueueSettings


def test_every_setting_has_a_row_with_its_default() -> None:
    rows = {row.name: row for group in settings_table.GROUPS for row in group.rows}
    assert {f"MAYFLY_{name.upper()}" for name in (*AciSettings.model_fields, *QueueSettings.model_fields)} <= set(rows)
    assert all(row.meaning and row.default for row in rows.values())
    assert rows["MAYFLY_GROUPS_MAX"].default == "`100`"
    assert rows["MAYFLY_SUBSCRIPTION"].default == "required"
    assert rows["MAYFLY_SUBNET"].default == "none"
    assert rows["MAYFLY_REPORT_KEY"].default == "generated in `MAYFLY_DATA` on first use"


def test_every_row_is_on_the_page_once() -> None:
    page = settings_table.page()
    for name in (row.name for group in settings_table.GROUPS for row in group.rows):
        assert page.count(f"| {name} |") == 1, name
