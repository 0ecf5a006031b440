"""The dashboard's image, as far as it can be tried without a container engine: what it copies is all that it needs."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from mayfly.cli.dashboard_process import Dashboard
from mayfly.cli.host_process import Child, free_port

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "streamlit_dashboard" / "Dockerfile").read_text().replace("\\\n", " ")
_OURS = ("mayfly", "streamlit_dashboard", "orchestrations", "triggers", "worker", "local_host", "function_app")
_EVERY_PAGE = f"""
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=60).run()
for page in ("submit", "job", "system", "board"):
    app.switch_page(f"screens/{{page}}.py")
    app.run()
    assert not app.exception, app.exception
files = [m.__file__ for n, m in sys.modules.items() if n.partition(".")[0] in {_OURS} and getattr(m, "__file__", None)]
assert len(files) > 20, files
foreign = [file for file in files if not file.startswith(sys.argv[2])]
assert not foreign, foreign
"""


def copied(folder: Path) -> Path:
    """Copy what the image copies, and nothing else."""
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, flags=re.MULTILINE):
        *sources, target = shlex.split(line)
        for source in sources:
            found = ROOT / source
            assert found.exists(), f"COPY {source}: there is no such file"
            if found.is_dir():
                shutil.copytree(
                    found, folder / target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                place = folder / target / found.name if target.endswith("/") else folder / target
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, place)
    return folder


def test_what_the_image_copies_is_all_that_its_pages_need(tmp_path: Path) -> None:
    app = copied(tmp_path / "app")
    installed = re.findall(r"--requirement (\S+)", DOCKERFILE)
    assert installed
    assert all((app / name).is_file() for name in installed)
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
    app = copied(tmp_path / "app")
    port = free_port()
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, flags=re.MULTILINE)
    everywhere = "0.0.0.0"  # noqa: S104 - said, and not done
    assert everywhere in entry
    program, *arguments = json.loads(entry.replace("=8501", f"={port}").replace(everywhere, "127.0.0.1"))
    assert program == "python"
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=app,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MAYFLY_DATA": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    child = Child("the dashboard", process, Dashboard(tmp_path, "http://127.0.0.1:9", port)._is_well)
    try:
        child.wait_until_ready(within_s=60)
        (check,) = re.findall(r"^HEALTHCHECK CMD (.+)$", DOCKERFILE, flags=re.MULTILINE)
        asked = json.loads(check)[1:]
        subprocess.run([sys.executable, *(part.replace(":8501", f":{port}") for part in asked)], check=True, timeout=20)
    finally:
        child.stop()
