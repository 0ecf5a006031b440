"""The labels that a list is filtered by, as text: `team=web,tier=2`, in quotes where a value has a comma.

It is a line of CSV (RFC 4180), so that every label that can be stored can be asked for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable


def parse_labels(text: str) -> dict[str, str]:
    """Return the labels in a text.

    Errors: ValueError, which says what is wrong with it.

    >>> parse_labels('team=web, "note=a, b"')
    {'team': 'web', 'note': 'a, b'}
    """
    try:
        (parts,) = csv.reader([text], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError) as error:
        raise ValueError("must be NAME=VALUE, with commas between several") from error
    pairs = [part.partition("=") for part in parts]
    if not pairs or not all(name and equals for name, equals, _ in pairs):
        raise ValueError("must be NAME=VALUE, with commas between several")
    labels = {name: value for name, _, value in pairs}
    if len(labels) < len(pairs):
        raise ValueError("names a label twice, and no job has two values of one")
    return labels


def label_text(pairs: Iterable[str]) -> str:
    """Return `NAME=VALUE` pairs as one text.

    >>> label_text(["team=web", "note=a, b"])
    'team=web,"note=a, b"'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(pairs)
    return line.getvalue()
