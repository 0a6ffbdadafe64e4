"""Writes the goldens of the template vectors by running the real CDK.

    python -m venv venv
    venv/bin/pip install airbyte-cdk==7.39.1 freezegun
    venv/bin/python test/oracle/templates/generate.py

Reads the vectors beside it (`vectors.py` builds them), renders each with the clock frozen, and
writes `goldens.jsonl`: a head, then a row a vector, `[mode, context, template, result]`.

mode     "s" InterpolatedString, "t" the same with valid types (str, list), "b" InterpolatedBoolean,
         "l" literal evaluation of the text itself, "m" InterpolatedMapping,
         "n" InterpolatedNestedMapping
context  name in `contexts` of the head
result   what came out: a tagged value (see `tag`), "=" for the template itself, or {"error": class}
"""

import datetime
import json
import logging
import os
import re
import signal
import sys
import warnings

os.environ["TZ"] = "UTC"
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from freezegun import freeze_time  # noqa: E402

import airbyte_cdk  # noqa: E402, F401
from airbyte_cdk.sources.declarative.interpolation import jinja  # noqa: E402
from airbyte_cdk.sources.declarative.interpolation.interpolated_boolean import (  # noqa: E402
    InterpolatedBoolean,
)
from airbyte_cdk.sources.declarative.interpolation.interpolated_mapping import (  # noqa: E402
    InterpolatedMapping,
)
from airbyte_cdk.sources.declarative.interpolation.interpolated_nested_mapping import (  # noqa: E402
    InterpolatedNestedMapping,
)
from airbyte_cdk.sources.declarative.interpolation.interpolated_string import (  # noqa: E402
    InterpolatedString,
)
from airbyte_cdk.sources.types import StreamSlice  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import vectors  # noqa: E402

NOW = "2026-11-23T03:31:33.432000+00:00"
# What differs from run to run, or only because the clock is frozen.
ADDRESS = re.compile(r"at 0x[0-9a-f]+")
FAKE = re.compile(r"\bFake(Datetime|Date)\b")


def plain(text):
    text = ADDRESS.sub("at 0x0", text)
    return FAKE.sub(lambda m: "datetime." + m.group(1).lower(), text)


def tag(value):
    """A value as JSON that keeps its Python type."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, list):
        return {"list": [tag(item) for item in value]}
    if isinstance(value, tuple):
        return {"tuple": [tag(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[tag(key), tag(item)] for key, item in value.items()]}
    return {"other": type(value).__name__, "text": plain(repr(value))}


def context_of(name):
    """A fresh copy: templates may change what they are given."""
    context = json.loads(json.dumps(vectors.CONTEXTS[name]))
    if "stream_slice" in context:
        context["stream_slice"] = StreamSlice(**context["stream_slice"])
    return context


def evaluate(mode, template, context_name):
    context = context_of(context_name)
    config = context.pop("config")
    if mode == "l":
        return jinja.JinjaInterpolation()._literal_eval(template, None)
    if mode == "b":
        return InterpolatedBoolean(condition=template, parameters={}).eval(config, **context)
    if mode == "m":
        return InterpolatedMapping(mapping=template, parameters={}).eval(config, **context)
    if mode == "n":
        return InterpolatedNestedMapping(mapping=template, parameters={}).eval(config, **context)
    if mode == "t":
        return jinja.JinjaInterpolation().eval(
            template, config, valid_types=(str, list), parameters={}, **context
        )
    return InterpolatedString(string=template, parameters={}).eval(config, **context)


def give_up(_signal, _frame):
    raise RuntimeError("a vector takes too long: leave it out")


def main():
    rows = []
    signal.signal(signal.SIGALRM, give_up)
    with freeze_time(NOW):
        for mode, context, template in vectors.all_vectors():
            signal.alarm(20)
            try:
                result = tag(evaluate(mode, template, context))
            except Exception as error:  # noqa: BLE001
                result = {"error": type(error).__name__}
            if result == template:
                result = "="
            rows.append([mode, context, template, result])
    with open(os.path.join(HERE, "goldens.jsonl"), "w") as file:
        for line in [{"cdk": "7.39.1", "now": NOW, "contexts": vectors.CONTEXTS}, *rows]:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
    errors = sum(1 for row in rows if isinstance(row[3], dict) and "error" in row[3])
    print(f"{len(rows)} vectors, {errors} of them errors")


if __name__ == "__main__":
    main()
