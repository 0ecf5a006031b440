"""The dry run: the resolved spec, its price, and anything that would block the job. Nothing is created."""

from __future__ import annotations

from dataclasses import dataclass

from mayfly.app import Mayfly
from mayfly.errors import SecretMissing
from mayfly.jobs.places import cores_of, gb_of
from mayfly.jobs.spec import JobSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The job that a spec would become if it was submitted now."""

    spec: JobSpec
    """With every default filled in."""
    place: str
    price_per_hour: float
    """USD; 0 if containers are free."""
    price_at_most: float
    """USD if every attempt runs until its deadline."""
    obstacles: tuple[str, ...]
    """Everything that would keep the job from starting."""
    warnings: tuple[str, ...]
    """Everything that the job requests and would not get."""


async def plan(mayfly: Mayfly, spec: JobSpec) -> Plan:
    """Return the plan for a spec. Errors: `TryAgain` if the secret store does not answer."""
    capabilities = mayfly.runtime.capabilities
    obstacles: list[str] = []
    for variable, name in spec.secrets.items():
        try:
            await mayfly.secrets.resolve({variable: name})
        except SecretMissing as error:
            obstacles.append(str(error))
    warnings: list[str] = []
    if spec.image is not None and not capabilities.runs_images:
        warnings.append(f"image {spec.image} is recorded but ignored: the command runs directly on this machine")
    if not capabilities.enforces_cpu:
        warnings.append(f"cpu {spec.cpu:g} is not enforced here")
    if not capabilities.enforces_memory:
        warnings.append(f"memory_gb {spec.memory_gb:g} is not enforced here")
    place, blocked_by = await mayfly.admission.obstacles(cpu=spec.cpu, memory_gb=spec.memory_gb, now=mayfly.clock.now())
    obstacles += blocked_by
    per_hour = mayfly.prices.per_hour(cpu=cores_of(spec.cpu), memory_gb=gb_of(spec.memory_gb))
    hours_at_most = (spec.start_timeout_s + spec.run_timeout_s) * spec.retry.max_attempts / 3_600
    return Plan(
        spec=spec,
        place=place or mayfly.place,
        price_per_hour=per_hour,
        price_at_most=per_hour * hours_at_most,
        obstacles=tuple(obstacles),
        warnings=tuple(warnings),
    )
