"""Follow jobs: read new events of their streams, fold them, and report when all jobs are settled."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from mayfly.client.api import Api
from mayfly.jobs.events import Event
from mayfly.jobs.evolve import fold
from mayfly.jobs.job import Job

_READERS_MAX = 8


class Follower:
    """Polls the streams of some jobs, each from its last position."""

    def __init__(self, api: Api, job_ids: Iterable[str]) -> None:
        self._api = api
        self._readers = ThreadPoolExecutor(_READERS_MAX, thread_name_prefix="follow")
        self.streams: dict[str, list[Event]] = {job_id: [] for job_id in job_ids}
        """By job id, in the order in which the jobs were given."""
        self.jobs: dict[str, Job] = {}
        """By job id, folded from the events that have been read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.shutdown(wait=False, cancel_futures=True)

    def poll(self) -> list[Event]:
        """Read the rest of every stream that is not settled; return the new events, oldest first."""
        open_ids = [job_id for job_id in self.streams if job_id not in self.jobs or not self.jobs[job_id].settled]
        fresh: list[Event] = []
        for job_id, events in zip(open_ids, self._readers.map(self._read_on, open_ids), strict=True):
            if events:
                self.streams[job_id] += events
                job = fold(events, self.jobs.get(job_id))
                if job is None:
                    raise ValueError(f"the {len(events)} events of {job_id} fold to no job")
                self.jobs[job_id] = job
                fresh += events
        return sorted(fresh, key=lambda event: (event.at, event.job_id, event.position))

    @property
    def over(self) -> bool:
        """True: every job has its outcome."""
        return all(job_id in self.jobs and self.jobs[job_id].over for job_id in self.streams)

    @property
    def settled(self) -> bool:
        """True: every job has its outcome, and every container is confirmed gone."""
        return all(job_id in self.jobs and self.jobs[job_id].settled for job_id in self.streams)

    def _read_on(self, job_id: str) -> list[Event]:
        return self._api.events(job_id, after=len(self.streams[job_id]))
