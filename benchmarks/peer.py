"""A public peer with the same shape of job: the Durable Task SDK with its in-memory backend.

It runs in `.venv-peer` and prints one JSON object. A job is an activity, an activity that raises an event, a race of
that event with a timer of one hour, and two more activities. Nothing is stored on disk.
"""

import json
import logging
import resource
import sys
import time
from datetime import timedelta

from durabletask import client, task, worker
from durabletask.testing import create_test_backend


def _begin(_context, job_id):
    return job_id


def _orchestrate(context, _input):
    yield context.call_activity(_begin, input=context.instance_id)
    ended = context.wait_for_external_event("ended")
    yield context.call_activity("raise_event", input=context.instance_id)
    timer = context.create_timer(timedelta(hours=1))
    yield task.when_any([ended, timer])
    yield context.call_activity(_begin, input=context.instance_id)
    yield context.call_activity(_begin, input=context.instance_id)
    return "done"


def main(jobs, port):
    """Run the jobs and print the rate."""
    logging.disable(logging.WARNING)  # otherwise its log of every step would be measured
    backend = create_test_backend(port=port)
    address = f"localhost:{port}"
    hub = client.TaskHubGrpcClient(host_address=address)

    def raise_event(_context, job_id):
        hub.raise_orchestration_event(job_id, "ended", data=1)

    try:
        with worker.TaskHubGrpcWorker(host_address=address) as runner:
            runner.add_orchestrator(_orchestrate)
            runner.add_activity(_begin)
            runner.add_activity(raise_event)
            runner.start()
            began, cpu = time.monotonic(), time.process_time()
            ids = [hub.schedule_new_orchestration(_orchestrate) for _ in range(jobs)]
            for instance_id in ids:
                state = hub.wait_for_orchestration_completion(instance_id, timeout=300)
                if state is None or state.runtime_status.name != "COMPLETED":
                    raise SystemExit(f"{instance_id} did not complete")
            seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    finally:
        backend.stop()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"jobs": jobs, "jobs_per_s": jobs / seconds, "cpu_ms_per_job": cpu / jobs * 1_000,
                      "memory_peak_mb": peak_mb}))  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
