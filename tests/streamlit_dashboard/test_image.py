"""The dashboard's image, as far as it can be tried without a container engine: what it copies is all that it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mayfly.cli.dashboard_process import Dashboard
from mayfly.cli.host_process import Child, free_port
from tests.repository.test_dockerfiles import built, entry_point, instructions
from tests.waiting import HANG_GUARD_S

_OURS = ("mayfly", "streamlit_dashboard", "orchestrations", "triggers", "worker", "local_host", "function_app")
_EVERY_PAGE = f"""
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout={HANG_GUARD_S}).run()
for page in ("submit", "job", "system", "board"):
    app.switch_page(f"screens/{{page}}.py")
    app.run()
    assert not app.exception, app.exception
files = [m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] in {_OURS} and getattr(m, "__file__", None)]
assert len(files) > 20, files
foreign = [file for file in files if not file.startswith(sys.argv[2])]
assert not foreign, foreign
"""


def test_what_the_image_copies_is_all_that_its_pages_need(tmp_path: Path) -> None:
    app = built("streamlit_dashboard", tmp_path / "image")
    ran = subprocess.run(
        [sys.executable, "-c", _EVERY_PAGE, str(app / "streamlit_dashboard" / "app.py"), str(app)],
        cwd=app,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MAYFLY_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2_000:]


def test_the_images_command_serves_and_its_health_check_answers(tmp_path: Path) -> None:
    app = built("streamlit_dashboard", tmp_path / "image")
    port = free_port()
    everywhere = "0.0.0.0"  # noqa: S104 - said, and not done
    program, *arguments = entry_point("streamlit_dashboard")
    assert program == "python"
    assert f"--server.address={everywhere}" in arguments
    arguments = [one.replace("=8501", f"={port}").replace(everywhere, "127.0.0.1") for one in arguments]
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=app,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MAYFLY_DATA": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    child = Child("the dashboard", process, Dashboard(tmp_path, "http://127.0.0.1:9", port)._is_well)
    try:
        child.wait_until_ready()
        check = dict(instructions("streamlit_dashboard"))["HEALTHCHECK"].removeprefix("CMD ")
        _, *asked = json.loads(check.replace(":8501", f":{port}"))
        subprocess.run([sys.executable, *asked], check=True, timeout=HANG_GUARD_S)
    finally:
        child.stop()
