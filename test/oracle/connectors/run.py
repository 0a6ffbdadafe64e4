"""Reads our manifests with the real airbyte-cdk from the mocks of their vendors, and writes how many
records each stream had, their digest and its final state to goldens/.

    python3 -m venv venv && venv/bin/pip install airbyte-cdk==7.39.1 freezegun
    venv/bin/python test/oracle/connectors/run.py [connector ...]

The mock is the one of the connector's own tests, over HTTP; a request for the vendor goes there.
"""

import hashlib
import importlib.util
import json
import logging
import pathlib
import subprocess
import sys
import time
from urllib.parse import urlsplit

import freezegun
import pandas  # noqa: F401  before the clock stands still, which it would not survive
import requests
import yaml
from airbyte_cdk.models import (
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from airbyte_cdk.test.entrypoint_wrapper import read

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]
LOGGER = logging.getLogger("airbyte")


def redirect(address):
    """Requests for the vendor go to the mock, which answers under the vendor's name."""
    original = requests.adapters.HTTPAdapter.send

    def send(self, request, **options):
        url = request.url
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        request.headers["x-mock-origin"] = origin
        request.url = address + url[len(origin) :]
        response = original(self, request, **options)
        response.url = request.url = url
        return response

    requests.adapters.HTTPAdapter.send = send
    return original


def configured(stream):
    incremental = SyncMode.incremental in stream.supported_sync_modes
    return ConfiguredAirbyteStream(
        stream=stream,
        sync_mode=SyncMode.incremental if incremental else SyncMode.full_refresh,
        destination_sync_mode=DestinationSyncMode.append,
    )


def register_components(name):
    """Classes of ours in Python, under the module that the manifest names."""
    path = HERE / "components" / f"{name}.py"
    if not path.exists():
        return
    module = f"source_{name.replace('-', '_')}.components"
    spec = importlib.util.spec_from_file_location(module, path)
    sys.modules[module] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[module])


def run(name, served):
    register_components(name)
    manifest = yaml.safe_load((ROOT / "connectors/sources" / name / "manifest.yaml").read_text())
    # It decides when requests are made, not what they bring, and counts by a clock that stands still.
    manifest.pop("api_budget", None)
    config = served["config"]

    def source(catalog):
        return ConcurrentDeclarativeSource(
            catalog=catalog, config=config, state=None, source_config=manifest
        )

    streams = source(None).discover(LOGGER, config).streams
    catalog = ConfiguredAirbyteCatalog(streams=[configured(stream) for stream in streams])
    output = read(source(catalog), config, catalog, None)
    records = {stream.name: [] for stream in streams}
    for message in output.records:
        records[message.record.stream].append(message.record.data)
    states = {
        message.state.stream.stream_descriptor.name: message.state.stream.stream_state.__dict__
        for message in output.state_messages
    }
    statuses = {
        message.trace.stream_status.stream_descriptor.name: message.trace.stream_status.status.value
        for message in output.trace_messages
        if message.trace.stream_status
    }
    return {
        stream: {
            "status": statuses.get(stream),
            "records": len(found),
            "digest": digest(found),
            "state": settled(json.loads(json.dumps(states.get(stream), default=vars))),
        }
        for stream, found in records.items()
    }


def digest(records):
    """Of the records in an order of their own, without their nulls."""
    lines = sorted(canonical(without_nulls(record)) for record in records)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def without_nulls(value):
    """JSON does not tell 5.0 from 5, so neither does the digest."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def settled(value):
    """Without the seconds that a read took, and with the partitions in an order of their own."""
    if isinstance(value, dict):
        fields = {key: settled(item) for key, item in value.items() if key != "lookback_window"}
        if isinstance(fields.get("states"), list):
            fields["states"].sort(key=canonical)
        return fields
    return [settled(item) for item in value] if isinstance(value, list) else value


def main(wanted):
    logging.disable(logging.CRITICAL)
    names = wanted or sorted(
        path.parent.name for path in (ROOT / "connectors/sources").glob("*/manifest.yaml")
    )
    for name in names:
        server = subprocess.Popen(
            ["node_modules/.bin/node", str(HERE / "serve.ts"), name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        served = json.loads(server.stdout.readline())
        original, sleep = redirect(served["address"]), time.sleep
        clock = freezegun.freeze_time(served["now"], ignore=["concurrent", "threading", "queue"])
        try:
            with clock as frozen:
                # What an answer asks to wait is waited by the clock.
                time.sleep = lambda seconds: (frozen.tick(seconds), sleep(0))
                golden = run(name, served)
        finally:
            requests.adapters.HTTPAdapter.send, time.sleep = original, sleep
            server.stdin.close()
        if server.wait(timeout=10) != 0:
            raise SystemExit(f"{name}: the mock refused requests")
        text = json.dumps(golden, indent=1, sort_keys=True, ensure_ascii=False)
        (HERE / "goldens" / f"{name}.json").write_text(text + "\n")
        print(name, len(golden), "streams", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
