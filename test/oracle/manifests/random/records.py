"""Extractors, filters, transformations and normalization over records of all shapes."""

from draw import answers

KEYS = ["a", "A b", "fooBar", "HTTPCode2", "Ünï", "x.y", "a_b", "id", "0", "Some-Key", "list", "__x"]
SCALARS = [None, True, False, 0, 1, -3, 2.5, 9007199254740991, "", "x", "True", "true"]
SCALARS += ["1", "1.0", "2026-01-01", "no", "yes", "['a']", "007", "NaN", "é"]
TYPES = ["string", "integer", "number", "boolean", "array", "object", ["null", "string"]]
TYPES += [["null", "integer"], ["null", "number"], ["boolean", "null"], ["null", "array"]]
TYPES += [["null", "object"], ["string", "integer"], ["null", "string", "number"]]
VALUES = ["{{ record['a'] }}", "{{ record.get('list') }}", "x{{ record.get('id') }}", "literal"]
VALUES += ["{{ record | length }}", "{{ record['fooBar'] | string }}", "{{ 1 == 1 }}"]
VALUES += ["{{ config['old'] }}", "{{ record.get('a') or none }}"]
CONDITIONS = ["{{ record.id }}", "{{ record.get('a') }}", "{{ 'id' in record }}"]


def records(draw):
    rows = [
        {**{draw.choice(KEYS): value(draw) for _ in range(draw.randint(0, 4))}, "id": id}
        for id in range(draw.randint(1, 3))
    ]
    path = draw.one([], draw.several(["a", "list", "*", "x.y", "A b"], 1, 2))
    body = {f"k{row['id']}": row for row in rows} if path[-1:] == ["*"] else rows
    for key in reversed(path[:-1] if path[-1:] == ["*"] else path):
        body = {"k" if key == "*" else key: body}
    selector = {
        "extractor": {"field_path": path},
        **draw.maybe(0.3, record_filter={"type": "RecordFilter", "condition": draw.choice(CONDITIONS)}),
        **draw.maybe(0.2, transform_before_filtering=draw.one(True, False)),
    }
    properties = {draw.choice(KEYS): schema(draw) for _ in range(6)}
    normal = draw.chance(0.4)
    stream = {
        "retriever": {
            "record_selector": {**selector, **({"schema_normalization": "Default"} if normal else {})}
        },
        **({"schema_loader": {"schema": {"properties": properties}}} if normal else {}),
        **draw.maybe(0.7, transformations=[change(draw) for _ in range(draw.randint(1, 3))]),
    }
    return {"config": {"old": "b"}, "stream": stream, "http": [answers([{"json": body}])]}


def value(draw, depth=0):
    if depth < 3 and draw.chance(0.25):
        return {draw.choice(KEYS): value(draw, depth + 1) for _ in range(draw.randint(0, 3))}
    if depth < 3 and draw.chance(0.2):
        return [value(draw, depth + 1) for _ in range(draw.randint(0, 3))]
    return draw.choice(SCALARS)


def schema(draw, depth=0):
    if draw.chance(0.1):
        return {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    type = draw.choice(TYPES)
    inner = (lambda: schema(draw, depth + 1)) if depth < 3 else (lambda: {"type": "string"})
    return {
        **{"type": type},
        **({"items": inner()} if "array" in type else {}),
        **({"properties": {draw.choice(KEYS): inner() for _ in range(2)}} if "object" in type else {}),
    }


def change(draw):
    added = {
        **{"type": "AddedFieldDefinition", "path": draw.several(KEYS, 1, 1)},
        **{"value": draw.choice(VALUES)},
        **draw.maybe(0.3, value_type=draw.one("string", "integer", "number", "boolean")),
    }
    affixes = {**draw.maybe(0.6, prefix="p_"), **draw.maybe(0.5, suffix="_s")}
    key = {"type": "KeyTransformation", **(affixes or {"prefix": "p_"})}
    pointers = [draw.several([*KEYS, "*", "a*"], 1, 2) for _ in range(draw.randint(1, 2))]
    condition = draw.maybe(0.3, condition=draw.choice(CONDITIONS))
    return draw.one(
        {"type": "KeysToLower"},
        {"type": "KeysToSnakeCase"},
        {"type": "AddFields", "fields": [added], **condition},
        {"type": "RemoveFields", "field_pointers": pointers},
        {"type": "FlattenFields", **draw.maybe(0.5, flatten_lists=draw.one(True, False))},
        {
            **{"type": "KeysReplace", "old": draw.one("_", "a", " ", "{{ config['old'] }}")},
            **{"new": draw.one("", "-", "é", "Q")},
        },
        {
            **{"type": "DpathFlattenFields", "field_path": draw.several([*KEYS, "*"], 1, 2)},
            **draw.maybe(0.6, delete_origin_value=draw.one(True, False)),
            **draw.maybe(0.2, replace_record=True),
            **draw.maybe(0.3, key_transformation=key),
        },
    )
