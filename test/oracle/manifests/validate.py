"""Writes to validation.json which changes of the cases' manifests the CDK's schema refuses.

    venv/bin/python test/oracle/manifests/validate.py

Each field of each type, where a case has it first, is left out and given each of the VALUES; the
verdict has one digit for each, 1 where the manifest is still accepted.
"""

import copy
import importlib.resources
import json
import pathlib

import jsonschema
import yaml
from airbyte_cdk.sources.declarative.parsers.manifest_component_transformer import (
    ManifestComponentTransformer,
)
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import (
    ManifestReferenceResolver,
)
from run import HERE, manifest_of

VALUES = [True, 1, 1.5, "x", [], [1], ["x"], {}, {"a": 1}]
FREE = {"schema", "connection_specification", "definitions", "$parameters"}
LANGUAGE = importlib.resources.files("airbyte_cdk.sources.declarative") / (
    "declarative_component_schema.yaml"
)


def accepted(validator, manifest):
    try:
        resolved = ManifestReferenceResolver().preprocess_manifest(manifest)
        resolved.setdefault("type", "DeclarativeSource")
        whole = ManifestComponentTransformer().propagate_types_and_parameters("", resolved, {})
    except Exception:
        return False
    return validator.is_valid(whole)


def nodes(node, path):
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from nodes(item, [*path, index])
    elif isinstance(node, dict):
        yield node, path
        for name, value in node.items():
            if name not in FREE:
                yield from nodes(value, [*path, name])


def changed(manifest, path, name, value):
    text = json.dumps(manifest, default=str)  # aliases of YAML are one object: no longer
    copied = json.loads(text)
    node = copied
    for step in path:
        node = node[step]
    if value is None:
        del node[name]
    else:
        node[name] = copy.deepcopy(value)
    return copied


def main():
    schema = yaml.safe_load(LANGUAGE.read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    base = yaml.safe_load((HERE / "base.yaml").read_text())
    seen, rows = set(), []
    for file in sorted(pathlib.Path(HERE / "cases").glob("*.yaml")):
        for case in yaml.safe_load(file.read_text()):
            manifest = manifest_of(base, case)
            if case.get("cdk") or not accepted(validator, copy.deepcopy(manifest)):
                continue
            for node, path in nodes(manifest, []):
                kind = node.get("type")
                where = kind if isinstance(kind, str) else str([s for s in path if s != 0][-2:])
                for name in node:
                    if name == "$parameters" or (where, name) in seen:
                        continue
                    seen.add((where, name))
                    verdict = "".join(
                        "1" if accepted(validator, changed(manifest, path, name, value)) else "0"
                        for value in [None, *VALUES]
                    )
                    rows.append([case["name"], path, name, verdict])
    lines = ",\n".join(json.dumps(row) for row in rows)
    (HERE / "validation.json").write_text(f"[\n{lines}\n]\n")


main()
