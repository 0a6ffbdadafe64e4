"""Runs the cases of this folder with the real airbyte-cdk and writes what it did to goldens/.

    python3 -m venv venv && venv/bin/pip install airbyte-cdk==7.39.1 freezegun
    venv/bin/python test/oracle/manifests/run.py [case or file name ...]

Cases with a `cdk` belong to that older version of the language: they run when that version of
airbyte-cdk is the one installed, and are left as they are otherwise.

HTTP is answered from the case; the clock stands still at the case's `now`, or goes on with each
sleep where it `ticks`; nothing sleeps; what is random is in the middle.
"""

import base64
import contextlib
import copy
import email.message
import gzip
import importlib
import importlib.metadata
import io
import json
import logging
import os
import pathlib
import random
import sys
import time
import types
import zipfile
from dataclasses import asdict
from urllib.parse import parse_qsl, urlsplit

import freezegun
import requests
import urllib3
import yaml
from airbyte_cdk.models import (
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    StreamDescriptor,
    SyncMode,
    Type,
)
from airbyte_cdk.test.entrypoint_wrapper import read

with contextlib.suppress(ImportError):  # older versions go without it
    import pandas  # noqa: F401  before the clock stands still, which it would not survive

HERE = pathlib.Path(__file__).parent
CDK = importlib.metadata.version("airbyte-cdk")
NEWEST = "7.39.1"
NOW = "2026-03-15T12:00:00Z"


def merge(base, over):
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    merged = {**base, **{key: merge(base.get(key), value) for key, value in over.items()}}
    return {key: value for key, value in merged.items() if value is not None}


def manifest_of(base, case):
    manifest = copy.deepcopy(base)
    manifest["version"] = case.get("cdk", manifest["version"])
    manifest["streams"][0] = merge(manifest["streams"][0], case.get("stream") or {})
    return merge(manifest, case.get("manifest") or {})


class Responder:
    """Answers requests as the case says and notes each one."""

    def __init__(self, rules, raw):
        self.rules = rules
        self.raw = raw
        self.used = [0] * len(rules)
        self.seen = []

    def send(self, request):
        body = request.body.decode() if isinstance(request.body, bytes) else request.body
        seen = {
            "method": request.method,
            "url": without_query(request.url),
            "query": sorted(map(list, parse_qsl(urlsplit(request.url).query, keep_blank_values=True))),
        }
        if self.raw:
            seen["raw"] = [request.url.partition("#")[0], request.headers.get("Content-Type")]
        if body:
            seen["body"] = body_of(body)
        for name in ("Authorization", "Cookie", "X-Test", "X-Page"):
            if name in request.headers:
                value = request.headers[name]
                seen.setdefault("headers", {})[name] = value.decode() if isinstance(value, bytes) else value
        self.seen.append(seen)
        for index, rule in enumerate(self.rules):
            if matches(rule, seen):
                answers = rule["respond"]
                answer = answers[min(self.used[index], len(answers) - 1)]
                self.used[index] += 1
                return response_of(request, answer)
        return response_of(request, {"status": 599, "text": "no rule matches"})


def without_query(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def body_of(text):
    try:
        return {"json": json.loads(text)}
    except ValueError:
        return {"text": text}


def matches(rule, seen):
    wanted = urlsplit(rule["url"])
    query = sorted(map(list, parse_qsl(wanted.query, keep_blank_values=True)))
    if rule.get("method", seen["method"]) != seen["method"]:
        return False
    if without_query(rule["url"]) != seen["url"]:
        return False
    if "body" in rule and rule["body"] != seen.get("body", {}).get("json"):
        return False
    return "any_query" in rule or query == seen["query"]


def response_of(request, answer):
    body = body_bytes(answer)
    headers = {name: str(value) for name, value in (answer.get("headers") or {}).items()}
    raw = urllib3.HTTPResponse(
        body=io.BytesIO(body),
        headers=headers,
        status=answer.get("status", 200),
        preload_content=False,
        request_method=request.method,
        request_url=request.url,
    )
    # Where cookies are looked for.
    raw._original_response = types.SimpleNamespace(
        msg=email.message.Message(), isclosed=lambda: True, close=lambda: None
    )
    for name, value in headers.items():
        raw._original_response.msg[name] = value
    return requests.adapters.HTTPAdapter().build_response(request, raw)


def body_bytes(answer):
    """`json`, `text` or `base64`; `gzip` packs it, `cut` leaves so many bytes of it, `zip` makes an archive."""
    if "zip" in answer:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in answer["zip"].items():
                archive.writestr(name, text)
        return packed.getvalue()
    if "base64" in answer:
        body = base64.b64decode(answer["base64"])
    else:
        text = json.dumps(answer["json"]) if "json" in answer else answer.get("text", "")
        body = text.encode(answer.get("encoding", "utf-8"))
    if answer.get("gzip"):
        body = gzip.compress(body)
    return body[: answer["cut"]] if "cut" in answer else body


def catalog_of(names, case):
    return ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=stream_of(name, case.get("schema") or {}),
                sync_mode=SyncMode.incremental,
                destination_sync_mode=DestinationSyncMode.append,
                cursor_field=[case["cursor"]] if "cursor" in case else None,
            )
            for name in names
        ]
    )


def stream_of(name, properties):
    from airbyte_cdk.models import AirbyteStream

    return AirbyteStream(
        name=name,
        json_schema={"type": "object", "properties": properties},
        supported_sync_modes=[SyncMode.full_refresh, SyncMode.incremental],
    )


def state_of(states):
    return [
        AirbyteStateMessage(
            type=AirbyteStateType.STREAM,
            stream=AirbyteStreamState(
                stream_descriptor=StreamDescriptor(name=name),
                stream_state=AirbyteStateBlob(**blob),
            ),
        )
        for name, blob in (states or {}).items()
    ]


CALL_RATE = "airbyte_cdk.sources.streams.call_rate"
LOGGER = logging.getLogger("airbyte")
COMMANDS = {
    "spec": lambda source, _: {"spec": spec_of(source)},
    "check": lambda source, config: {"check": source.check(LOGGER, config).status.value},
    "discover": lambda source, config: {
        "catalog": [plain(stream) for stream in source.discover(LOGGER, config).streams]
    },
}


def spec_of(source):
    from airbyte_cdk.models import ConnectorSpecificationSerializer  # not before 5.0

    return ConnectorSpecificationSerializer.dump(source.spec(LOGGER))


def plain(stream):
    fields = {key: value for key, value in asdict(stream).items() if value is not None}
    return {**fields, "supported_sync_modes": [mode.value for mode in stream.supported_sync_modes]}


def allow_components():
    """The classes of components.py, as if they came with the connector."""
    os.environ["AIRBYTE_ENABLE_UNSAFE_CODE"] = "true"
    sys.path.insert(0, str(HERE))
    components = importlib.import_module("components")
    sys.modules["source_oracle"] = types.ModuleType("source_oracle")
    sys.modules["source_oracle.components"] = components


def source_of(manifest, config, catalog, state):
    try:
        from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
            ConcurrentDeclarativeSource,
        )
    except ImportError:  # before 6.0
        from airbyte_cdk.sources.declarative.manifest_declarative_source import (
            ManifestDeclarativeSource,
        )

        return ManifestDeclarativeSource(source_config=manifest)
    return ConcurrentDeclarativeSource(
        catalog=catalog, config=config, state=state, source_config=manifest
    )


def state_data(blob):
    """A dataclass since 5.0, a model of pydantic before."""
    return blob.dict() if hasattr(blob, "dict") else blob.__dict__


def run(base, case):
    if "source_oracle" in json.dumps(case, default=str):
        allow_components()
    manifest = manifest_of(base, case)
    config = case.get("config") or {}
    names = case.get("read") or [stream.get("name", "items") for stream in manifest["streams"][:1]]
    responder = Responder(case.get("http") or [], case.get("raw"))
    waits = []
    originals = requests.adapters.HTTPAdapter.send, time.sleep
    requests.adapters.HTTPAdapter.send = lambda _self, request, **_: responder.send(request)
    real_sleep = time.sleep

    clock = freezegun.freeze_time(
        case.get("now", NOW), ignore=["concurrent", "threading", "queue", "_pytest"]
    )

    def no_sleep(seconds):
        if seconds >= 0.5:
            waits.append(round(seconds, 3))
            if case.get("ticks"):
                frozen.tick(seconds)
        if case.get("ticks") and sys._getframe(1).f_globals["__name__"] == CALL_RATE:
            # A little more, so that what is due at a moment is past then.
            frozen.tick(0.001)
        real_sleep(0)

    time.sleep = no_sleep
    random.uniform = lambda low, high: (low + high) / 2
    try:
        with clock as frozen:
            catalog, state = catalog_of(names, case), state_of(case.get("state"))
            try:
                command = case.get("command", "read")
                read_catalog = catalog if command == "read" else None
                source = source_of(manifest, config, read_catalog, state)
                if command != "read":
                    return {**COMMANDS[command](source, config), "requests": responder.seen}
                output = read(source, config, catalog, state)
            except Exception as error:  # the manifest itself is refused
                return {"refused": type(error).__name__, "requests": responder.seen}
    finally:
        requests.adapters.HTTPAdapter.send, time.sleep = originals
    if not any(m.trace.stream_status for m in output.trace_messages):
        return {"refused": "before any stream", "requests": responder.seen}
    return {
        # Threads take turns as they like: sorted, so that a new run shows only what is different.
        "requests": in_order(distinct(responder.seen) if case.get("distinct") else responder.seen),
        "records": {
            name: in_order(m.record.data for m in output.records if m.record.stream == name)
            for name in names
        },
        "states": {
            m.state.stream.stream_descriptor.name: state_data(m.state.stream.stream_state)
            for m in output.state_messages
        },
        "statuses": {
            m.trace.stream_status.stream_descriptor.name: m.trace.stream_status.status.value
            for m in output.trace_messages
            if m.trace.stream_status
        },
        "failures": sorted(
            {
                m.trace.error.failure_type.value
                for m in output.errors
                if m.trace.error.stream_descriptor
            }
        ),
        **({"waits": [w for w in waits]} if case.get("waits") else {}),
        **({"files": files_of(output.records)} if case.get("files") else {}),
    }


def files_of(records):
    """What the CDK stored, and under which path; its own folder is left out."""
    stored = {}
    for reference in (m.record.file_reference for m in records):
        if reference:
            content = pathlib.Path(reference.staging_file_url).read_bytes()
            assert len(content) == reference.file_size_bytes
            stored[reference.source_file_relative_path] = content.decode()
    return dict(sorted(stored.items()))


def distinct(items):
    return [item for index, item in enumerate(items) if item not in items[:index]]


def in_order(items):
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True, default=str))


def main(wanted):
    logging.disable(logging.CRITICAL)
    base = yaml.safe_load((HERE / "base.yaml").read_text())
    names = set()
    for file in sorted((HERE / "cases").glob("*.yaml")):
        path = HERE / "goldens" / f"{file.stem}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        goldens = {}
        for case in yaml.safe_load(file.read_text()):
            name = case["name"]
            assert name not in names, f"two cases are called {name}"
            names.add(name)
            elsewhere = case.get("cdk", NEWEST) != CDK
            if elsewhere or (wanted and name not in wanted and file.stem not in wanted):
                goldens.update({name: known[name]} if name in known else {})
                continue
            goldens[name] = {**run(base, case), **({"cdk": CDK} if "cdk" in case else {})}
            print(name, file=sys.stderr)
        path.write_text(
            json.dumps(dict(sorted(goldens.items())), indent=1, ensure_ascii=False, default=str) + "\n"
        )

if __name__ == "__main__":
    main(sys.argv[1:])
