"""Find habits of phrasing in files: `python -m tests.repository.style PATH...`.

Prints one line a finding: file, line, phrase, and the cure. `--count` prints how many findings each path has.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.repository.habits import HABITS, Habit
from tests.repository.prose import Passage, passages

ROOT = Path(__file__).parents[2]

EXEMPT = (
    "LICENSE",
    "tests/compatibility/names.json",
    "tests/repository/habits.py",
    "tests/repository/test_style.py",
)
"""Texts that others phrased, recorded data, and the files that quote the habits."""

SUFFIXES = {".md", ".py", ".toml", ".yml", ".yaml", ".sh", ".bicep", ".css", ".svg", ".json", ""}


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """A legitimate use of a phrase that a habit matches."""

    path: str
    """A file or a folder, from the root of the repository."""
    phrase: str
    """Text around the match, with single blanks."""
    reason: str


ALLOWED: tuple[Allowed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A habit at a line of a file."""

    path: str
    line: int
    phrase: str
    habit: Habit

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.phrase!r} ({self.habit.name}): {self.habit.cure}"


def tracked(paths: Sequence[str] = ()) -> list[str]:
    """Return the files of the repository under these paths, from its root; all of them without paths.

    Files that git does not track yet are included unless it ignores them. Errors: `OSError`, without a git repository.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        raise OSError(f"git cannot list the files: {listed.stderr.decode().strip()}")
    names = listed.stdout.decode().split("\0")
    return sorted({name for name in names if name and (ROOT / name).is_file() and Path(name).suffix in SUFFIXES})


def under(path: str, folders: Sequence[str]) -> bool:
    """Say whether a path is one of these, or inside one of them.

    >>> under("docs/index.md", ["docs"]), under("docsets/a", ["docs"]), under("docs", ["docs"])
    (True, False, True)
    """
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def findings(path: str, allowed: Sequence[Allowed] = ALLOWED) -> Iterator[Finding]:
    """Yield the habits in a file, in order of its lines."""
    here = [one for one in allowed if under(path, [one.path])]
    for passage in passages(ROOT / path):
        found = [
            Finding(path=path, line=passage.line_at(match.start()), phrase=" ".join(match[0].split())[:60], habit=habit)
            for habit in HABITS
            for match in habit.regex.finditer(passage.text)
            if not any(_covers(one, passage, match.start(), match.end()) for one in here)
        ]
        yield from sorted(found, key=lambda finding: finding.line)


def _covers(one: Allowed, passage: Passage, start: int, end: int) -> bool:
    """Say whether the match lies within an occurrence of the allowed phrase."""
    reach = len(one.phrase) + 20
    around = " ".join(passage.text[max(start - reach, 0) : end + reach].split())
    matched = " ".join(passage.text[start:end].split())
    return matched in one.phrase and one.phrase in around


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.repository.style", description=__doc__)
    parser.add_argument("path", nargs="+", help="file or folder, from the root of the repository")
    parser.add_argument("--count", action="store_true", help="print only the number of findings of each path")
    options = parser.parse_args()
    for path in options.path:
        names = [name for name in tracked([path]) if not under(name, EXEMPT)]
        if not names:
            parser.error(f"no file of the repository is at {path}")
        found = [finding for name in names for finding in findings(name)]
        if options.count:
            print(f"{len(found):6} {path}")
        else:
            print(*found, f"{len(found)} findings in {path}", sep="\n")


if __name__ == "__main__":
    main()
