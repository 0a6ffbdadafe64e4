"""Paginators of all kinds over answers that say, or fail to say, what comes next."""

from draw import answers, into

NEXT = [
    "{{ response.next }}",
    "{{ response.get('meta', {}).get('next') }}",
    "{{ response.next or '' }}",
    "{{ last_record.id if last_page_size == 2 }}",
    "{{ headers['X-Next'] }}",
    "{{ headers.get('x-next') }}",
]
STOP = [
    "{{ not response.next }}",
    "{{ response.next is none }}",
    "{{ last_page_size < 2 }}",
    "{{ response.done }}",
    "{{ not last_record }}",
    "{{ 'next' not in response }}",
]


def paging(draw):
    selector = {
        "extractor": {"field_path": ["data"]},
        **draw.maybe(0.4, record_filter={"type": "RecordFilter", "condition": "{{ record.keep }}"}),
    }
    fixed = "{{ next_page_token['next_page_token'] if next_page_token else 'first' }}"
    stream = {
        "retriever": {
            **{"paginator": paginator(draw), "record_selector": selector},
            **draw.maybe(0.3, requester={"request_parameters": {"fixed": fixed}}),
        },
        **draw.maybe(0.2, transformations=[{"type": "RemoveFields", "field_pointers": [["id"]]}]),
    }
    pages = draw.randint(1, 4)
    responses = [answer(draw, page, last=page == pages) for page in range(pages + 1)]
    http = [answers([*responses, {"json": {"data": []}}])]
    return {"config": {"size": "2"}, "raw": True, "stream": stream, "http": http}


def paginator(draw):
    strategy = draw.one(
        {"type": "PageIncrement", "start_from_page": draw.one(0, 1, 5)},
        {"type": "OffsetIncrement"},
        {
            **{"type": "CursorPagination", "cursor_value": draw.choice(NEXT)},
            **draw.maybe(0.6, stop_condition=draw.choice(STOP)),
        },
    )
    by_cursor = strategy["type"] == "CursorPagination"
    size = draw.one(1, 2, 3, None, 2 if by_cursor else "{{ config['size'] }}")
    place = draw.one("request_parameter", "request_parameter", "body_json", "header")
    option = {"type": "RequestPath"} if by_cursor and draw.chance(0.3) else into(place, "token")
    sized = size is not None
    first = {} if by_cursor else draw.maybe(0.3, inject_on_first_request=True)
    size_option = into(draw.one("request_parameter", "body_json", "header"), "X-Page")
    return {
        **{"type": "DefaultPaginator"},
        **{"pagination_strategy": {**strategy, **first, **({"page_size": size} if sized else {})}},
        **(draw.maybe(0.5, page_size_option=size_option) if sized else {}),
        **draw.maybe(0.9, page_token_option=option),
    }


def answer(draw, page, last):
    records = [{"id": 100 * page + id, "keep": draw.chance(0.6)} for id in range(draw.randint(0, 3))]
    url = f"https://api.test/items?cur={page}&x=%20y"
    following = draw.one(None, "") if last else draw.one(f"t{page}", f"/items?cur={page}", url, page, None)
    link = f'<https://api.test/items?cur={page}>; rel="next"'
    body = {
        **{"data": records},
        **draw.maybe(0.8, next=following),
        **draw.maybe(0.7, meta=draw.one({}, {"next": following}, {"next": following})),
        **draw.maybe(0.4, done=draw.one(True, False, None, "false")),
    }
    headers = {} if last else draw.maybe(0.5, headers={"X-Next": f"h{page}", "Link": link})
    return {"json": body, **headers}
