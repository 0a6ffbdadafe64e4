"""Runs the command lines of cases.yaml with Airbyte's source-declarative-manifest, against a server on
this machine, and writes what it printed to goldens.json. Of the reads with `then` it is also given the
states that our command line printed.

    python3 -m venv venv && venv/bin/pip install airbyte-cdk==7.39.1 freezegun
    venv/bin/python test/oracle/cli/run.py [name ...]
"""

import copy
import http.server
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
from types import SimpleNamespace

import yaml
from airbyte_cdk.models import ConnectorSpecificationSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[2]
CDK = [str(pathlib.Path(sys.executable).parent / "source-declarative-manifest")]
OURS = [str(ROOT / "node_modules/.bin/node"), str(ROOT / "src/cli/bin.mjs"), "connector"]

spec = importlib.util.spec_from_file_location("manifests", HERE.parent / "manifests/run.py")
manifests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(manifests)


class Server:
    """Answers as the rules of a case say, which are written for https://api.test."""

    def __init__(self, rules):
        responder = manifests.Responder(rules)
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with lock:
                    answer = responder.send(
                        SimpleNamespace(
                            method="GET",
                            url=f"https://api.test{self.path}",
                            headers=self.headers,
                            body=None,
                        )
                    )
                body = answer.raw.data
                self.send_response(answer.status_code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.seen = responder.seen
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()


def merge(base, over):
    merged = {**base, **(over or {})}
    return {key: value for key, value in merged.items() if value is not None}


def catalog_of(streams):
    return {
        "streams": [
            {
                "stream": {
                    "name": name,
                    "json_schema": {"type": "object", "properties": {}},
                    "supported_sync_modes": ["full_refresh", "incremental"],
                },
                "sync_mode": mode,
                "destination_sync_mode": "append",
            }
            for name, mode in streams.items()
        ]
    }


def run(program, case, manifest, state=None, rules=None):
    server = Server(rules if rules is not None else case.get("http") or [])
    try:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                program + arguments(case, manifest, state, server.url, pathlib.Path(folder)),
                capture_output=True,
                text=True,
            )
    finally:
        server.stop()
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {
        "exit": done.returncode,
        "requests": manifests.in_order(server.seen),
        **summary(lines, server.url),
    }


def arguments(case, manifest, state, url, folder):
    given = [case["command"]]
    if "arguments" in case:
        return given + ["--manifest-path", write(folder, "manifest.yaml", manifest)] + case["arguments"]
    if case["command"] not in ("check", "discover", "read"):
        return given
    config = merge({"base": url, "api_key": "very-secret"}, case.get("config"))
    given += ["--manifest-path", write(folder, "manifest.yaml", manifest)]
    given += ["--config", write(folder, "config.json", config)]
    if case["command"] == "read":
        given += ["--catalog", write(folder, "catalog.json", catalog_of(case["streams"]))]
    if state:
        given += ["--state", write(folder, "state.json", state)]
    return given


def write(folder, name, value):
    (folder / name).write_text(json.dumps(value))
    return str(folder / name)


def summary(lines, url):
    """What can be compared: no moment, no order between threads, no text for people."""
    found = {"records": {}, "states": {}, "counts": {}, "statuses": {}, "errors": [], "limited": []}
    for line in lines:
        kind = line["type"]
        if kind == "RECORD":
            record = line["record"]
            found["records"].setdefault(record["stream"], []).append(record["data"])
        elif kind == "STATE":
            state = line["state"]
            name = state["stream"]["stream_descriptor"]["name"]
            found["states"][name] = state["stream"]["stream_state"]
            found["counts"][name] = found["counts"].get(name, 0) + state["sourceStats"]["recordCount"]
        elif kind == "TRACE" and line["trace"]["type"] == "STREAM_STATUS":
            status = line["trace"]["stream_status"]
            name = status["stream_descriptor"]["name"]
            if status.get("reasons"):
                found["limited"].append([name, *(reason["type"] for reason in status["reasons"])])
            else:
                found["statuses"].setdefault(name, []).append(status["status"])
        elif kind == "TRACE" and line["trace"]["type"] == "ERROR":
            error = line["trace"]["error"]
            stream = error.get("stream_descriptor") or {}
            found["errors"].append([error.get("failure_type"), stream.get("name")])
        elif kind == "CONNECTION_STATUS":
            found["status"] = line["connectionStatus"]["status"]
        elif kind == "CATALOG":
            found["catalog"] = line["catalog"]
        elif kind == "CONTROL":
            found["control"] = line["control"]["connectorConfig"]["config"]
    found["records"] = {name: manifests.in_order(all) for name, all in found["records"].items()}
    found["errors"] = manifests.in_order(found["errors"])
    text = json.dumps({key: value for key, value in found.items() if value})
    return json.loads(text.replace(url, "https://api.test"))


def states_of(result):
    return [
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}}
        for name, state in result["states"].items()
    ]


def golden(base, case):
    manifest = merge(copy.deepcopy(base), case.get("manifest"))
    if case["command"] == "spec":
        source = ConcurrentDeclarativeSource(
            catalog=None, config=None, state=[], source_config=manifest
        )
        spec = ConnectorSpecificationSerializer.dump(source.spec(source.logger))
        # Defaults of fields that the protocol has given up.
        kept = {name: value for name, value in spec.items() if name not in ("supportsDBT", "supportsNormalization")}
        return {"spec": kept, "exit": 0}
    result = run(CDK, case, manifest, case.get("state"))
    if "then" in case:
        rules = case["then"]["http"]
        ours = run(OURS, case, manifest)
        result["then"] = run(CDK, case, manifest, states_of(result), rules)
        result["ours"] = {
            "states": ours["states"],
            "then": run(CDK, case, manifest, states_of(ours), rules),
        }
    return result


def main(wanted):
    path = HERE / "goldens.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    base = yaml.safe_load((HERE / "manifest.yaml").read_text())
    goldens = {}
    for case in yaml.safe_load((HERE / "cases.yaml").read_text()):
        name = case["name"]
        if wanted and name not in wanted:
            goldens.update({name: known[name]} if name in known else {})
            continue
        goldens[name] = golden(base, case)
        print(name, file=sys.stderr)
    path.write_text(json.dumps(goldens, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
