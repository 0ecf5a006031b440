"""Submit a job over HTTP, wait until it is over, and print its result.

    MAYFLY_URL=http://127.0.0.1:7071 MAYFLY_KEY=... python submit.py

Needs httpx. A dropped connection or a 5xx answer is retried; the idempotency key makes that safe.
"""

import os
import sys
import time
import uuid

import httpx

OVER = {"succeeded", "failed", "timed_out", "canceled"}

# `::result` prints the result; `::progress` would report how far the work is.
COMMAND = ["python3", "-c", "import json; print('::result ' + json.dumps({'sum': sum(range(11))}))"]


def main() -> int:
    api = httpx.Client(
        base_url=os.environ["MAYFLY_URL"].rstrip("/") + "/api",
        headers={"x-functions-key": os.environ["MAYFLY_KEY"]},
        timeout=30.0,
    )
    with api:
        accepted = call(
            api,
            "POST",
            "/jobs",
            # Use a key from your own domain, such as an order number, and a restart of your program finds the same job.
            headers={"Idempotency-Key": str(uuid.uuid4())},
            json={"command": COMMAND, "name": "sum", "run_timeout_s": 300, "retry": {"max_attempts": 2}},
        )
        job_id = accepted["job_id"]
        print(f"submitted {job_id}")
        job = accepted
        while job["state"] not in OVER:
            time.sleep(1.0)
            job = call(api, "GET", f"/jobs/{job_id}")
        print(f"{job['state']}: {job['result'] if job['state'] == 'succeeded' else job['message']}")
        return 0 if job["state"] == "succeeded" else 1


def call(api: httpx.Client, method: str, path: str, **options: object) -> dict:
    """Return the JSON answer. An invalid request exits with the problem document, which names the field and the fix."""
    for pause in (1, 2, 4, 8, 15, 0):
        try:
            answer = api.request(method, path, **options)
        except httpx.TransportError as error:
            last = str(error)
        else:
            if answer.status_code < 400:
                return answer.json()
            last = answer.text
            if answer.status_code < 500 and answer.status_code != 429:
                break
        time.sleep(pause)
    sys.exit(f"{method} {path} failed: {last}")


if __name__ == "__main__":
    sys.exit(main())
