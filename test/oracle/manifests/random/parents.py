"""Children of parents: what is asked for each, which state is kept, what of it counts later."""

from draw import answers, into

NAME = "{{ (stream_partition.extra_fields or {}).get('name', 'n') }}"
PATHS = ["items", "items/{{ stream_partition.pid }}", "items/{{ stream_slice['pid'] }}/%s" % NAME]
QUERIES = ["{{ stream_partition.parent_slice }}", "{{ stream_slice.pid }}", "{{ stream_partition }}", "k"]
KEYS = ["", 0, 1, 2, 3, "a", "z"]
ADDRESSES = ["", *(f"/{key}{name}" for key in KEYS for name in ("", "/n", "/n1", "/n2", "/None"))]


def parents(draw):
    incremental = draw.chance(0.7)
    of_parent = incremental and draw.chance(0.6)
    asked = router(draw, incremental, of_parent)
    grouped = isinstance(asked, dict) and asked["type"] == "GroupingPartitionRouter"
    path = "items" if grouped else draw.choice(PATHS)
    requester = {"path": path, "request_parameters": {"q": draw.choice(QUERIES)}}
    sync = {**cursor(draw, "at"), **draw.maybe(0.25, global_substream_cursor=True)}
    stream = {
        "retriever": {"partition_router": asked, "requester": requester},
        **({"incremental_sync": sync} if incremental else {}),
    }
    state = {"state": {"items": state_of(draw, of_parent)}}
    rows = [parent_row(draw) for _ in range(draw.randint(0, 4))]
    http = [answers([{"json": rows}], "parents")]
    http += [answers([{"json": kids(draw)}], f"items{address}") for address in ADDRESSES]
    return {"stream": stream, **(state if incremental and draw.chance(0.5) else {}), "http": http}


def router(draw, incremental, of_parent):
    requester = {"type": "HttpRequester", "url_base": "https://api.test", "path": "parents"}
    extractor = {"type": "DpathExtractor", "field_path": []}
    selector = {"type": "RecordSelector", "extractor": extractor}
    schema = {"type": "object", "properties": {}}
    retriever = {"type": "SimpleRetriever", "requester": requester, "record_selector": selector}
    parent = {
        **{"type": "DeclarativeStream", "name": "parents", "primary_key": "id"},
        **{"retriever": retriever},
        **{"schema_loader": {"type": "InlineSchemaLoader", "schema": schema}},
        **({"incremental_sync": cursor(draw, "u")} if of_parent else {}),
    }
    group = incremental and draw.chance(0.15)
    config = {
        **{"type": "ParentStreamConfig", "stream": parent, "partition_field": "pid"},
        **{"parent_key": draw.one("id", "id", "nest/k", "missing")},
        **(draw.maybe(0.8, incremental_dependency=True) if of_parent else {}),
        **draw.maybe(0.3, extra_fields=draw.one([["name"]], [["nest", "k"], ["u"]], [["nope"]])),
        **({} if group else draw.maybe(0.4, request_option=into("request_parameter", "pid"))),
    }
    router = {"type": "SubstreamPartitionRouter", "parent_stream_configs": [config]}
    listed = {
        **{"type": "ListPartitionRouter", "values": ["x", "y"], "cursor_field": "l"},
        **{"request_option": into("request_parameter", "l")},
    }
    if group:
        return {
            **{"type": "GroupingPartitionRouter", "group_size": draw.one(1, 2, 10)},
            **{"underlying_partition_router": router},
            **draw.maybe(0.5, deduplicate=draw.one(True, False)),
        }
    return draw.one(router, router, router, [router, listed])


def cursor(draw, field):
    return {
        **{"type": "DatetimeBasedCursor", "cursor_field": field, "datetime_format": "%Y-%m-%d"},
        **{"start_datetime": "2026-01-01"},
        **draw.maybe(0.5, start_time_option=into("request_parameter", "since")),
        **draw.maybe(0.3, step="P1M", cursor_granularity="P1D"),
        **draw.maybe(0.2, lookback_window="P2D"),
    }


def parent_row(draw):
    return {
        **{"id": draw.one(1, 2, 3, 3, 0, "a", "", None), "name": draw.one("n1", "n2")},
        **{"u": draw.day(), "nest": draw.one({"k": 1}, {"k": "z"}, {})},
    }


def kids(draw):
    return [{"id": id, "at": draw.day()} for id in range(draw.randint(0, 3))]


def state_of(draw, of_parent):
    known = [
        {"partition": {"pid": pid, "parent_slice": {}}, "cursor": {"at": draw.day()}}
        for pid in (1, 2, "a")
        if draw.chance(0.6)
    ]
    whole = {"state": {"at": draw.day()}, "lookback_window": draw.one(0, 86400)}
    parent = draw.maybe(0.7, parent_state={"parents": {"u": draw.day()}}) if of_parent else {}
    return draw.one(
        {"at": draw.day()},
        {"use_global_cursor": True, **whole, **parent},
        {"use_global_cursor": False, "states": known, **whole, **parent},
        {"use_global_cursor": False, "states": known, **whole, **parent},
    )
