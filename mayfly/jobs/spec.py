"""The job spec that a user submits: its fields, limits and defaults.

The spec is stored as it was accepted, so it holds references to secrets and never their values (I8). It describes the
work; admission decides where and when the work runs.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

CPU_MAX = 31.0
"""Cores of the largest container group. Source: container-instances-resource-and-quota-limits, Standard SKU."""
MEMORY_GB_MAX = 240.0
"""Source: the same as for `CPU_MAX`."""
MESSAGE_BYTES_MAX = 32_768
ENVIRONMENT_BYTES_MAX = 65_536
"""Total size of all names and values. Azure documents no limit; pass a reference instead of a payload."""
RUN_TIMEOUT_S_MAX = 31 * 24 * 3600

_WorkerError = Literal[
    "exit", "signal", "command_not_found", "not_executable", "terminated", "result_invalid", "worker"
]
_PlatformError = Literal["container_lost", "container_refused"]
_Timeout = Literal["start_timeout", "run_timeout"]
ErrorClass = Literal[_WorkerError, _PlatformError, _Timeout]
"""Why an attempt failed.

From the worker: `exit` (non-zero code), `signal`, `command_not_found`, `not_executable`, `terminated` (it received a
stop signal), `result_invalid`, `worker` (a bug in the worker). From the platform: `container_lost` (gone or ended
without a report), `container_refused` (never created). From the clock: `start_timeout`, `run_timeout`.
"""

Name = Annotated[str, Field(max_length=24, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,61}[A-Za-z0-9]$|^[A-Za-z]$")]
"""1 to 63 characters, with no underscore first or last. Source: container-instances-troubleshooting."""
SecretName = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,127}$")]
"""A name in the secret store. It follows Key Vault's rule, so a reference means the same locally and in Azure."""
LabelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")]
LabelValue = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
Argument = Annotated[str, Field(max_length=8_192, pattern=r"^[^\x00]*$")]

_JSON_ARRAY = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)

_RESERVED = re.compile(r"^(MAYFLY_.*|CONTAINER_NAME|MESSAGE)$")
_SETTABLE = frozenset({"MAYFLY_WORK_SECONDS"})


class StrictModel(BaseModel):
    """Untrusted input: unknown fields and values of another type are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RetryPolicy(StrictModel):
    """Whether to retry after a failure, and how long to wait first."""

    max_attempts: int = Field(default=1, ge=1, le=20, description="Total number of attempts; 1 means no retry.")
    backoff_s: float = Field(default=10.0, ge=0, le=86_400, description="Seconds before the second attempt.")
    backoff_factor: float = Field(default=2.0, ge=1, le=10, description="Multiplier of the wait after each failure.")
    backoff_max_s: float = Field(default=600.0, ge=0, le=86_400, description="Longest wait, in seconds.")
    on_exit_codes: Annotated[tuple[Annotated[int, Field(ge=1, le=255)], ...] | None, _JSON_ARRAY] = Field(
        default=None, max_length=64, description="Retry only these exit codes. With on_errors, either may match."
    )
    on_errors: Annotated[tuple[ErrorClass, ...] | None, _JSON_ARRAY] = Field(
        default=None,
        max_length=16,
        description="Retry only these error classes. Without both lists, every failure is retried.",
    )


class JobSpec(StrictModel):
    """One job: a message for the standard worker, a command, or a command in a given image."""

    message: str | None = Field(
        default=None, max_length=MESSAGE_BYTES_MAX, description="Work for the standard worker, passed as MESSAGE."
    )
    command: Annotated[tuple[Argument, ...] | None, _JSON_ARRAY] = Field(
        default=None, min_length=1, max_length=256, description="Program and arguments; no shell is involved."
    )
    image: str | None = Field(
        default=None,
        max_length=512,
        pattern=r"^[a-z0-9][A-Za-z0-9._:/@-]*$",
        description="Container image that runs the command. Locally it is ignored: the command runs directly.",
    )
    name: Name | None = Field(
        default=None, description="1 to 24 of a-z, 0-9 and single inner hyphens; starts with a letter."
    )
    env: dict[EnvironmentName, Annotated[str, Field(pattern=r"^[^\x00]*$")]] = Field(
        default_factory=dict, max_length=128, description="Plain environment variables for the command."
    )
    secrets: dict[EnvironmentName, SecretName] = Field(
        default_factory=dict,
        max_length=64,
        description="Environment variable to name in the secret store; resolved only when the container is created.",
    )
    cpu: float = Field(default=1.0, ge=0.1, le=CPU_MAX, description="Cores.")
    memory_gb: float = Field(default=1.5, ge=0.1, le=MEMORY_GB_MAX, description="Memory in GB.")
    priority: int = Field(
        default=5, ge=0, le=9, description="Order of waiting jobs: 9 goes first; equal priorities go by age."
    )
    labels: dict[LabelName, LabelValue] = Field(default_factory=dict, max_length=32, description="Labels to filter by.")
    start_timeout_s: float = Field(
        default=1_800.0, ge=1, le=86_400, description="Seconds from the container's request to the worker's claim."
    )
    run_timeout_s: float = Field(
        default=3_600.0, ge=1, le=RUN_TIMEOUT_S_MAX, description="Seconds from the claim to the worker's final report."
    )
    retry: RetryPolicy = RetryPolicy()
    at_most_once: bool = Field(default=False, description="True: an attempt that was claimed is never retried.")

    @field_validator("command")
    @classmethod
    def _program_is_named(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and not value[0].strip():
            raise ValueError("must start with the program to run (got an empty string)")
        return value

    @field_validator("message")
    @classmethod
    def _message_fits_an_environment_variable(cls, value: str | None) -> str | None:
        if value is not None and "\x00" in value:
            raise ValueError("must not contain a NUL character")
        if value is not None and len(value.encode("utf-8", "surrogatepass")) > MESSAGE_BYTES_MAX:
            raise ValueError(f"must be at most {MESSAGE_BYTES_MAX} bytes of UTF-8; pass a reference instead")
        return value

    @field_validator("env", "secrets")
    @classmethod
    def _names_are_free(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if _RESERVED.match(name) and name not in _SETTABLE:
                raise ValueError(f"{name} is reserved for Mayfly; choose another name")
        size = sum(len(name) + len(text.encode("utf-8", "surrogatepass")) for name, text in value.items())
        if size > ENVIRONMENT_BYTES_MAX:
            raise ValueError(f"must be at most {ENVIRONMENT_BYTES_MAX} bytes in all (got {size})")
        return value

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.command is None and self.message is None:
            raise ValueError("a message or a command is required")
        if self.image is not None and self.command is None:
            raise ValueError("an image needs a command; a message always runs in the standard worker's image")
        twice = sorted(self.env.keys() & self.secrets.keys())
        if twice:
            raise ValueError(f"{twice[0]} is in both env and secrets; remove one")
        return self

    @property
    def judged_by_exit_code(self) -> bool:
        """True: the image may not contain a worker, so the container's exit code decides the outcome."""
        return self.image is not None
