"""Writes random manifests beside those that were thought of: a file of cases for run.py.

    venv/bin/python test/oracle/manifests/random/generate.py            # those of the repository
    venv/bin/python test/oracle/manifests/random/generate.py 7 500      # others, to look for more

Then `run.py random`, and test/runtime/declarative/oracle.test.ts. A seed always gives the same.
"""

import json
import pathlib
import sys

from cursors import cursor, partitions
from draw import Draw
from errors import errors
from paging import paging
from parents import parents
from records import records

FAMILIES = [cursor, partitions, errors, paging, parents, records]
TARGET = pathlib.Path(__file__).parent.parent / "cases" / "random.yaml"
# Where a case shows a known difference: its name, and why we differ.
DIFFERS = {}


def case(family, seed, number):
    name = f"random {family.__name__} {seed}.{number}"
    differs = {"differs": DIFFERS[name]} if name in DIFFERS else {}
    return {"name": name, **differs, **family(Draw(name))}


def main(seed=1, count=102):
    each = range(1, int(count) // len(FAMILIES) + 1)
    cases = [case(family, seed, number) for family in FAMILIES for number in each]
    lines = [f"- {json.dumps(one, ensure_ascii=False)}\n" for one in cases]
    TARGET.write_text("# Written by ../random/generate.py.\n" + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
