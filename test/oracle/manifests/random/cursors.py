"""Datetime cursors, alone and by partition, with states of every form."""

import datetime

from draw import UTC, answers, into, text

FORMATS = [
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%S.%_msZ",
    "%s",
    "%ms",
    "%s_as_float",
    "%epoch_microseconds",
]
FIELD = "updated_at"


def cursor(draw):
    return case_of(draw, partitions=[])


def partitions(draw):
    return case_of(draw, partitions=["a", "b", "c"][: draw.randint(1, 3)])


def case_of(draw, partitions):
    format = draw.choice(FORMATS)
    start = datetime.datetime(2026, draw.one(1, 2, 3), draw.randint(1, 12), tzinfo=UTC)
    sync = {
        **{"type": "DatetimeBasedCursor", "cursor_field": FIELD, "datetime_format": format},
        **{"start_datetime": start_of(draw, start, format)},
        **draw.maybe(0.3, end_datetime=end_of(draw, format)),
        **(windows(draw, start) if draw.chance(0.6) else {}),
        **draw.maybe(0.4, lookback_window=draw.one("P1D", "PT1H", "P{{ config['days'] }}D", "P1M")),
        **draw.maybe(0.6, start_time_option=into(draw.one("request_parameter", "body_json"), "since")),
        **draw.maybe(0.5, end_time_option=into("request_parameter", "until")),
        **draw.maybe(0.15, is_client_side_incremental=True),
        **draw.maybe(0.15, cursor_datetime_formats=[format, draw.choice(FORMATS)]),
        **draw.maybe(0.2, partition_field_start="from"),
        **draw.maybe(0.2, partition_field_end="to"),
        **(draw.maybe(0.3, global_substream_cursor=True) if partitions else {}),
    }
    names = [sync.get("partition_field_start", "start_time"), sync.get("partition_field_end", "end_time")]
    window = "{{ stream_interval['%s'] }}..{{ stream_slice['%s'] }}" % tuple(names)
    stream = {
        "incremental_sync": sync,
        "retriever": {
            **draw.maybe(0.3, requester={"request_parameters": {"window": window}}),
            **({"partition_router": listed(partitions)} if partitions else {}),
        },
    }
    state = state_of(draw, start, format, partitions)
    return {
        **{"config": {"days": 2}, "stream": stream},
        **({"state": {"items": state}} if state else {}),
        **{"http": [answers(pages(draw, format, partitions))]},
    }


def start_of(draw, start, format):
    if draw.chance(0.5):
        return text(start, format)
    written = draw.one(format, "%Y-%m-%d")
    moved = text(start + datetime.timedelta(days=draw.one(-3, 3)), written)
    return {
        **{"type": "MinMaxDatetime", "datetime": text(start, written), "datetime_format": written},
        **draw.maybe(0.3, min_datetime=moved),
        **draw.maybe(0.2, max_datetime=text(datetime.datetime(2026, 3, 10, tzinfo=UTC), written)),
    }


def end_of(draw, format):
    now = draw.one("{{ now_utc().strftime('%Y-%m-%d') }}", "{{ today_utc() }}")
    return draw.one(
        text(datetime.datetime(2026, 3, 12, tzinfo=UTC), format),
        {"type": "MinMaxDatetime", "datetime": now, "datetime_format": "%Y-%m-%d"},
    )


def windows(draw, start):
    """Short steps only where few of them reach the present."""
    near = start > datetime.datetime(2026, 2, 20, tzinfo=UTC)
    target = draw.one("DAY", "WEEK", "MONTH")
    weekday = {"target_details": {"weekday": draw.one("MONDAY", "SUNDAY", "FRIDAY")}}
    return {
        **{"step": draw.one("P7D", "P1M", "P30D", "P2W", "P1Y", "P1D" if near else "P10D")},
        **{"cursor_granularity": draw.one("P1D", "PT1S", "PT0.001S", "PT0.000001S", "PT1H")},
        **draw.maybe(0.25, clamping={"target": target, **(weekday if target == "WEEK" else {})}),
    }


def listed(partitions):
    option = into("request_parameter", "partition")
    return {
        **{"type": "ListPartitionRouter", "values": partitions, "cursor_field": "partition"},
        **{"request_option": option},
    }


def state_of(draw, start, format, partitions):
    """Never of before the start: what the CDK then writes back depends on the form of the state."""
    if draw.chance(0.4):
        return None
    value = lambda: text(max(draw.time(), start), format)
    if not partitions:
        ranges = [{"start": text(start, format), "end": value()}]
        return draw.one(
            {FIELD: draw.value(value(), format)},
            {FIELD: value()},
            {"state_type": "date-range", "slices": ranges},
        )
    known = [
        {"partition": {"partition": name}, "cursor": {FIELD: value()}}
        for name in "abcz"
        if draw.chance(0.6)
    ]
    whole = {"state": {FIELD: value()}, "lookback_window": draw.one(0, 10, 3600)}
    return draw.one(
        {FIELD: value()},
        {"use_global_cursor": True, **whole},
        {"use_global_cursor": False, "states": known, **whole},
        {"use_global_cursor": False, "states": known},
    )


def pages(draw, format, partitions):
    """Of partitions all have the same: their order is not the question."""
    records = [
        {"id": id, FIELD: draw.value(text(draw.time(), format), format)}
        for id in range(draw.randint(0, 5))
    ]
    records += draw.one([], [], [], [{"id": 9}], [{"id": 10, FIELD: None}])
    good = {"json": records}
    if partitions or draw.chance(0.85):
        return [good]
    return draw.one([{"status": draw.one(403, 404, 500)}, good], [good, {"status": 404}])
