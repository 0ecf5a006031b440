"""A container engine for tests: podman with separate storage, so that the user's images and containers do not change.

Everything that the engine keeps (settings, images, containers, locks) is in one folder. `running_engine` removes that
folder, and ends every container in it first.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_HANGS_AFTER_S = 900.0
"""A guard against hangs only."""

_LINES_SHOWN = 40
"""Length of the output that is shown for a failed command; the reason is at its end."""

_CONTAINERS_CONF = """\
[containers]
# The host's network needs neither a bridge nor a firewall, which a virtual machine in CI may not have.
netns = "host"
# podman requests the highest limits of the kernel, which a restricted root may not set.
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
log_driver = "k8s-file"

[engine]
events_logger = "file"
# Locks in shared memory would be shared with the user's own podman.
lock_type = "file"
{runtime}
# The same folder as with --root: podman is called with that option when a container ends, and must find the container.
static_dir = "{folder}/storage/libpod"
tmp_dir = "{folder}/state"
volume_path = "{folder}/storage/volumes"
image_copy_tmp_dir = "{folder}/copies"

[network]
network_config_dir = "{folder}/networks"
"""
_STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""
_REGISTRIES_CONF = """\
# The registry that Docker uses for a bare name in a Dockerfile.
unqualified-search-registries = ["docker.io"]
short-name-mode = "disabled"
"""


class EngineFailed(Exception):
    """A command of the engine failed; the text is the command and the end of what it printed."""


class Engine:
    """podman over one folder. Its containers use the host's network."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        runtime = 'runtime = "runc"' if shutil.which("runc") else ""  # otherwise podman's own choice
        settings = {
            "CONTAINERS_CONF": _CONTAINERS_CONF.format(folder=folder, runtime=runtime),
            "CONTAINERS_STORAGE_CONF": _STORAGE_CONF.format(folder=folder),
            "CONTAINERS_REGISTRIES_CONF": _REGISTRIES_CONF,
        }
        (folder / "copies").mkdir()
        self._environment = dict(os.environ)
        for variable, text in settings.items():
            path = folder / f"{variable.lower()}.conf"
            path.write_text(text, encoding="utf-8")
            self._environment[variable] = str(path)

    def run(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        timeout_s: float = _HANGS_AFTER_S,
    ) -> str:
        """Run a podman command and return its standard output. `env` is added to podman's own environment.

        Errors: `EngineFailed`.
        """
        try:
            ended = subprocess.run(
                ["podman", *arguments],
                env={**self._environment, **(env or {})},
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout_s,
            )
        except subprocess.TimeoutExpired as error:
            raise EngineFailed(f"podman {' '.join(arguments)} did not end within {timeout_s:g} s") from error
        if ended.returncode != 0:
            printed = "\n".join(
                [*ended.stdout.splitlines()[-_LINES_SHOWN:], *ended.stderr.splitlines()[-_LINES_SHOWN:]]
            )
            raise EngineFailed(f"podman {' '.join(arguments)} exited with code {ended.returncode}:\n{printed}")
        return ended.stdout

    def build(self, context: Path, *, tag: str, dockerfile: Path, mounts: Sequence[str] = ()) -> None:
        """Build an image. `mounts` (`SOURCE:TARGET:ro`) are there for the commands of the build alone.

        Errors: `EngineFailed`, with the end of the build's output.
        """
        volumes = [argument for mount in mounts for argument in ("--volume", mount)]
        # Docker's format, because OCI's has no HEALTHCHECK.
        options = ["--format", "docker", "--network", "host", "--pull=never", *volumes]
        self.run("build", *options, "--tag", tag, "--file", str(dockerfile), str(context))

    def inspect_image(self, name: str) -> dict[str, Any]:
        """Return what `podman image inspect` says of one image."""
        (found,) = json.loads(self.run("image", "inspect", name))
        return dict(found)

    def inspect_container(self, name: str) -> dict[str, Any] | None:
        """Return what `podman container inspect` says; None when there is no such container."""
        if name not in self.run("ps", "--all", "--format", "{{.Names}}").split():
            return None
        (found,) = json.loads(self.run("container", "inspect", name))
        return dict(found)

    def logs(self, name: str) -> str:
        """Return what a container has printed, both streams together."""
        ended = subprocess.run(
            ["podman", "logs", name],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return ended.stdout

    def remove_container(self, name: str) -> None:
        """End a container at once and remove it, if it is there."""
        self.run("rm", "--force", "--ignore", "--time", "0", name)

    def close(self) -> None:
        """End every container and release the storage; the images are deleted with its folder."""
        self.run("rm", "--all", "--force", "--time", "0")
        if os.geteuid() == 0:
            # podman mounts this folder on itself for as long as the machine runs.
            overlay = self._folder / "storage" / "overlay"
            if overlay.is_mount():
                subprocess.run(["umount", str(overlay)], check=True)
        else:
            # Files of other users of the container's user namespace cannot be removed from outside of it.
            self.run("unshare", "rm", "-rf", str(self._folder / "storage"))


@contextmanager
def running_engine() -> Iterator[Engine]:
    """Set up an engine in a new temporary folder, and remove both.

    Errors: skips the test without an engine; with MAYFLY_CI=1 the test fails.
    """
    if sys.platform != "linux":
        _unavailable("podman keeps its storage apart on Linux only")
    if shutil.which("podman") is None:
        _unavailable("podman is not on PATH: install podman and runc")
    # Not pytest's own folder: a path of a socket in it would be longer than the 108 bytes that Linux allows.
    folder = Path(tempfile.mkdtemp(prefix="mayfly-engine-"))
    try:
        engine = Engine(folder)
        try:
            engine.run("info")
        except EngineFailed as error:
            _unavailable(str(error))
        try:
            yield engine
        finally:
            engine.close()
    finally:
        shutil.rmtree(folder)


def _unavailable(why: str) -> None:
    reason = f"no container engine: {why}"
    if os.environ.get("MAYFLY_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
