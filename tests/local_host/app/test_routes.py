"""Which paths a route template matches."""

from __future__ import annotations

import pytest

from local_host.app.routes import BadRoute, compile_route


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("jobs/{id}", "jobs/7", {"id": "7"}),
        ("jobs/{id}", "JOBS/7", {"id": "7"}),
        ("jobs/{id}", "jobs/7/8", None),
        ("jobs/{id}", "jobs", None),
        ("jobs/{id?}", "jobs", {}),
        ("jobs/{page=1}", "jobs", {"page": "1"}),
        ("{id:int}", "x", None),
        ("{id:int:min(5)}", "4", None),
        ("{id:length(2,3)}", "abc", {"id": "abc"}),
        ("{id:regex(^a[[bc]]$)}", "ac", {"id": "ac"}),
        ("{id:regex(^a[[bc]]$)}", "ad", None),
        ("{id:guid}", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", {"id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}),
        ("{*rest}", "a/b", {"rest": "a/b"}),
        ("{*rest}", "", {}),
        ("{name}.{ext}", "a.b.txt", {"name": "a", "ext": "b.txt"}),
        ("", "", {}),
        ("", "x", None),
    ],
)
def test_routes_match_as_templates_say(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert compile_route(template).match(path) == expected


@pytest.mark.parametrize("template", ["{*rest}/x", "{id:odd}", "{id", "a{b}{c"])
def test_routes_that_are_not_understood_are_refused(template: str) -> None:
    with pytest.raises(BadRoute):
        compile_route(template)
