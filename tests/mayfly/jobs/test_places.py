"""Places: the text of the setting, the limits of each place, and the sizes that Azure bills."""

from __future__ import annotations

import pytest

from mayfly.jobs.places import SPOT_CPU_MAX, Place, parse_places
from mayfly.jobs.spec import CPU_MAX


def test_places_keep_their_order_and_their_limits() -> None:
    plain, sized, spot = parse_places("swedencentral, westeurope:2:8, northeurope:spot:31:240")
    assert plain == Place(name="swedencentral")
    assert (sized.cpu_max, sized.memory_gb_max) == (2, 8)
    assert (spot.name, spot.region, spot.spot, spot.cpu_max) == ("northeurope-spot", "northeurope", True, SPOT_CPU_MAX)


def test_a_place_allows_groups_up_to_its_limits() -> None:
    (place,) = parse_places("westeurope:2:8")
    assert place.holds(cpu=2, memory_gb=8)
    assert not place.holds(cpu=2.1, memory_gb=1)
    assert not place.holds(cpu=1, memory_gb=8.1)
    assert Place(name="westeurope").holds(cpu=CPU_MAX, memory_gb=1)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "must be like swedencentral"),
        ("westeurope:4", "must be like swedencentral"),
        ("westeurope:4:16:1", "must be like swedencentral"),
        ("West Europe", "must be like swedencentral"),
        ("westeurope:four:16", "must give cores and GB as numbers"),
        ("westeurope,westeurope", "must name each place once"),
    ],
)
def test_a_mistake_is_named_with_the_value(text: str, mistake: str) -> None:
    with pytest.raises(ValueError, match=mistake) as refused:
        parse_places(text)
    assert repr(text) in str(refused.value)
