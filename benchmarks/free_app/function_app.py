"""Mayfly's function app with a free container runtime."""

import os
import runpy
from dataclasses import replace
from pathlib import Path

from benchmarks.free_runtime import FreeRuntime
from mayfly import composition
from mayfly.settings import read_settings

composition.use(
    replace(composition.compose(read_settings()), runtime=FreeRuntime(os.environ["MAYFLY_BENCHMARK_SOCKET"]))
)
app = runpy.run_path(str(Path(__file__).parents[2] / "function_app.py"))["app"]
