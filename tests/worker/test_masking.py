"""A command that prints its secrets: none of them leaves the worker (I8)."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable

import pytest

from tests.worker.report_server import ReportServer
from worker.masking import Mask

Run = Callable[..., subprocess.CompletedProcess[bytes]]

SECRET = 'pa55"word\\with-é'
ASCII = "hunter2-hunter2"


def fed(mask: Mask, *pieces: bytes) -> bytes:
    return b"".join([*(mask.feed(piece) for piece in pieces), mask.flush()])


def test_nothing_is_changed_without_secrets() -> None:
    assert Mask().feed(b"any \xff thing") == b"any \xff thing"


@pytest.mark.parametrize("cut", range(len(b"say hunter2-hunter2 twice hunter2-hunter2")))
def test_a_secret_is_masked_wherever_it_is_cut(cut: int) -> None:
    text = b"say hunter2-hunter2 twice hunter2-hunter2"
    assert fed(Mask([ASCII]), text[:cut], text[cut:]) == b"say *** twice ***"


def test_a_secret_is_masked_when_it_arrives_byte_by_byte_among_its_own_beginnings() -> None:
    text = b"abababac abab ababac"
    assert fed(Mask(["ababac"]), *(bytes([byte]) for byte in text)) == b"ab*** abab ***"


def test_one_secret_within_another_leaves_no_part_visible() -> None:
    assert fed(Mask(["abcd", "abcdefgh"]), b"x abcd", b"efgh abcd y") == b"x *** *** y"


def test_the_beginning_of_a_secret_alone_is_let_through_in_the_end() -> None:
    mask = Mask([ASCII])
    assert mask.feed(b"ready hunter2") == b"ready "
    assert mask.flush() == b"hunter2"


def test_short_values_are_left_alone() -> None:
    assert fed(Mask(["abc", ""]), b"abc") == b"abc"


def test_random_pieces_give_what_the_whole_gives() -> None:
    generator = random.Random(17)
    mask = ["abba", "abbaabba", "baba-c"]
    for _ in range(300):
        text = bytes(generator.choices(b"ab-c", k=60))
        cuts = sorted(generator.sample(range(61), 6))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, 60], strict=True)]
        masked = fed(Mask(mask), *pieces)
        assert masked == fed(Mask(mask), text), text
        assert not any(secret.encode() in masked for secret in mask), text


def test_nothing_that_leaves_the_worker_holds_a_secret(server: ReportServer, run: Run) -> None:
    script = """
import json, os, sys, time
secret = os.environ["PASSWORD"]
print("plain", secret, flush=True)
sys.stdout.write("half " + secret[:5]); sys.stdout.flush(); time.sleep(0.2)
print(secret[5:], flush=True)
print("::progress 0.5 with", secret, flush=True)
time.sleep(0.2)
print("::result", json.dumps({"it": secret, "line": os.environ["KEY"]}))
"""
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n"
    ended = run("python3", "-c", script, PASSWORD=SECRET, KEY=key, MAYFLY_SECRET_NAMES="PASSWORD,KEY", PYTHONUTF8="1")
    end = server.the_end()
    assert end["outcome"] == "succeeded"
    assert end["result"] == {"it": "***", "line": "***"}
    assert end["output_tail"].startswith("plain ***\nhalf ***\n")
    everything = (
        ended.stdout
        + ended.stderr
        + json.dumps([report.body for report in server.reports], ensure_ascii=False).encode()
    )
    for part in (SECRET, "word\\", "MIIEvQ"):
        assert part.encode() not in everything


def test_an_error_message_holds_no_secret(server: ReportServer, run: Run) -> None:
    run(f"/no/such/{ASCII}", PASSWORD=ASCII, MAYFLY_SECRET_NAMES="PASSWORD")
    assert server.the_end()["error"]["message"].startswith("'/no/such/***' was not found")
