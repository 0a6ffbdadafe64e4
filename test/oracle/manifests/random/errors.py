"""Error handlers of all kinds before an API that fails in all its ways."""

from draw import answers, into


def errors(draw):
    paginator = {
        **{"type": "DefaultPaginator", "page_token_option": into("request_parameter", "page")},
        **{"pagination_strategy": {"type": "PageIncrement", "page_size": 1}},
    }
    retriever = {
        "requester": {"error_handler": handler(draw)},
        "paginator": draw.one(paginator, {"type": "NoPagination"}),
    }
    responses = [answer(draw) for _ in range(draw.randint(1, 4))]
    return {
        **{"config": {"wait": "4", "header": "X-Wait", "retries": 1}},
        **{"waits": True, "ticks": draw.chance(0.5), "stream": {"retriever": retriever}},
        **{"http": [answers([*responses, {"json": [{"id": 5}]}, {"json": []}])]},
    }


def handler(draw, depth=0):
    if depth < 2 and draw.chance(0.35):
        inner = [handler(draw, depth + 1) for _ in range(draw.randint(1, 3))]
        return {"type": "CompositeErrorHandler", "error_handlers": inner}
    return {
        "type": "DefaultErrorHandler",
        **draw.maybe(0.7, response_filters=[filter(draw) for _ in range(draw.randint(1, 3))]),
        **draw.maybe(0.5, backoff_strategies=[backoff(draw) for _ in range(draw.randint(1, 2))]),
        **draw.maybe(0.4, max_retries=draw.one(0, 1, 2, "{{ config['retries'] }}")),
    }


def filter(draw):
    predicate = draw.one(
        "{{ 'code' in response }}",
        "{{ response.code == 7 }}",
        "{{ response.get('error') }}",
        "{{ headers.get('X-Left') == '0' }}",
    )
    codes = draw.several([200, 400, 401, 403, 404, 418, 429, 500, 503], 1, 3)
    said = {"error_message_contains": draw.one("slow", "nope", "gone")}
    return {
        **{"type": "HttpResponseFilter"},
        **draw.one({"http_codes": codes}, {"predicate": predicate}, said, {"http_codes": codes, **said}),
        **draw.maybe(0.85, action=draw.one("SUCCESS", "FAIL", "RETRY", "IGNORE", "RATE_LIMITED")),
        **draw.maybe(0.3, failure_type=draw.one("system_error", "config_error", "transient_error")),
        **draw.maybe(0.3, error_message=draw.one("no luck", "it said {{ response.get('error') }}")),
    }


def backoff(draw):
    header = {
        **{"header": draw.one("Retry-After", "X-Wait", "{{ config['header'] }}")},
        **draw.maybe(0.4, regex=draw.one("[0-9]+", "[.\\d]+", "(\\d)s")),
        **draw.maybe(0.4, max_waiting_time_in_seconds=draw.one(5, 100)),
    }
    until = {**draw.maybe(0.5, min_wait=draw.one(1, "30")), **draw.maybe(0.3, regex="\\d+")}
    seconds = draw.one(2, 0.5, "{{ config['wait'] }}")
    return draw.one(
        {"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": seconds},
        {"type": "ExponentialBackoffStrategy", **draw.maybe(0.7, factor=draw.one(1, 3))},
        {"type": "WaitTimeFromHeader", **header},
        {"type": "WaitUntilTimeFromHeader", "header": "X-Until", **until},
    )


def answer(draw):
    headers = {
        **draw.maybe(0.4, **{"Retry-After": draw.one("3", "7s", "abc", "0")}),
        **draw.maybe(0.2, **{"X-Wait": draw.one("4", "9.5")}),
        **draw.maybe(0.3, **{"X-Until": draw.one("1773576010", "1773575990", "1773576050")}),
        **draw.maybe(0.2, **{"X-Left": "0"}),
    }
    body = draw.one(
        [{"id": 1}],
        {},
        {"list": [1]},
        {"error": "slow down", "code": 7},
        {"errors": [{"message": "gone"}]},
        {"message": ["nope", {"detail": "gone"}]},
    )
    status = draw.one(200, 200, 400, 401, 403, 404, 418, 429, 500, 503)
    text = draw.chance(0.08)
    return {
        **{"status": status, **({"text": "not json, slow"} if text else {"json": body})},
        **({"headers": headers} if headers else {}),
    }
