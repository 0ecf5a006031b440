"""Places where a container may run: regions, the largest group that each allows, and whether it is spot capacity."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from mayfly.jobs.spec import CPU_MAX, MEMORY_GB_MAX

SPOT_CPU_MAX = 4.0
SPOT_MEMORY_GB_MAX = 16.0
"""Source: container-instances-resource-and-quota-limits, Spot."""
_CPU_MIN = 1.0
_MEMORY_GB_MIN = 1.0
"""Source: container-instances-resource-and-quota-limits: a group has at least 1 CPU and 1 GB."""
_SPOT = "-spot"
_REGION = re.compile(r"^[a-z][a-z0-9]{1,22}$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One entry of the ordered list of places."""

    name: str
    """The name in jobs, groups and tags: the region, with the suffix `-spot` for spot capacity."""
    cpu_max: float = CPU_MAX
    memory_gb_max: float = MEMORY_GB_MAX

    @property
    def region(self) -> str:
        """The platform's name of the region."""
        return region_of(self.name)

    @property
    def spot(self) -> bool:
        """True: cheaper, but the platform may evict the container."""
        return self.name.endswith(_SPOT)

    def holds(self, *, cpu: float, memory_gb: float) -> bool:
        """Say whether a group of this size can be requested here."""
        return cpu <= self.cpu_max and memory_gb <= self.memory_gb_max


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """Limits of a place and their use by everyone in the subscription; None: no such limit is known."""

    groups_max: int | None = None
    groups_used: int = 0
    cores_max: float | None = None
    cores_used: float = 0.0


def parse_places(text: str) -> tuple[Place, ...]:
    """Read an ordered list of places: `region[:spot][:cpu:memory_gb]`, separated by commas.

    Errors: ValueError, which names the mistake and the fix.

    >>> [place.name for place in parse_places("swedencentral, westeurope:spot:4:16")]
    ['swedencentral', 'westeurope-spot']
    >>> parse_places("westeurope:2:8")[0].cpu_max
    2.0
    """
    places = tuple(_parse_place(entry.strip()) for entry in text.split(","))
    names = [place.name for place in places]
    if len(set(names)) < len(names):
        raise ValueError(f"must name each place once (got {text!r})")
    return places


def region_of(place_name: str) -> str:
    """Return the platform's name of a place's region.

    >>> region_of("westeurope-spot"), region_of("westeurope")
    ('westeurope', 'westeurope')
    """
    return place_name.removesuffix(_SPOT)


def cores_of(cpu: float) -> float:
    """Return the cores that a group requests: at least one, in hundredths.

    >>> cores_of(0.5), cores_of(1.234)
    (1.0, 1.24)
    """
    return max(_CPU_MIN, math.ceil(round(cpu * 100, 6)) / 100)


def gb_of(memory_gb: float) -> float:
    """Return the memory that a group requests: at least 1 GB, in tenths.

    >>> gb_of(0.5), gb_of(1.5), gb_of(1.51)
    (1.0, 1.5, 1.6)
    """
    return max(_MEMORY_GB_MIN, math.ceil(round(memory_gb * 10, 6)) / 10)


def _parse_place(entry: str) -> Place:
    region, *rest = entry.split(":")
    spot = bool(rest) and rest[0] == "spot"
    sizes = rest[1:] if spot else rest
    if not _REGION.match(region) or len(sizes) not in (0, 2):
        raise ValueError(f"must be like swedencentral,westeurope:spot:4:16 (got {entry!r})")
    try:
        cpu, memory_gb = (float(size) for size in sizes) if sizes else (CPU_MAX, MEMORY_GB_MAX)
    except ValueError:
        raise ValueError(f"must give cores and GB as numbers, like westeurope:4:16 (got {entry!r})") from None
    cpu_limit, memory_limit = (SPOT_CPU_MAX, SPOT_MEMORY_GB_MAX) if spot else (CPU_MAX, MEMORY_GB_MAX)
    return Place(
        name=region + _SPOT if spot else region, cpu_max=min(cpu, cpu_limit), memory_gb_max=min(memory_gb, memory_limit)
    )
