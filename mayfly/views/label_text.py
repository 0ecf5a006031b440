"""Label filters as text: `team=web,tier=2`, with quotes around a pair that contains a comma.

The text is one line of CSV (RFC 4180), so it can express every label that can be stored.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def parse_labels(text: str) -> dict[str, str]:
    """Return the labels in a text.

    Errors: ValueError, which names the mistake.

    >>> parse_labels('team=web, "note=a, b"')
    {'team': 'web', 'note': 'a, b'}
    """
    try:
        (parts,) = csv.reader([text], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError) as error:
        raise ValueError("must be NAME=VALUE pairs, separated by commas") from error
    pairs = [part.partition("=") for part in parts]
    if not pairs or not all(name and equals for name, equals, _ in pairs):
        raise ValueError("must be NAME=VALUE pairs, separated by commas")
    labels = {name: value for name, _, value in pairs}
    if len(labels) < len(pairs):
        raise ValueError("must name each label once; a job has only one value per label")
    return labels


def label_text(pairs: Iterable[str]) -> str:
    """Return `NAME=VALUE` pairs as one text.

    >>> label_text(["team=web", "note=a, b"])
    'team=web,"note=a, b"'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(pairs)
    return line.getvalue()
