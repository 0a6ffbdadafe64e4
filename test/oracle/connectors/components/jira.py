"""What connectors/sources/jira/components.ts has in TypeScript, for the real CDK."""

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor


@dataclass
class LabelsRecordExtractor(RecordExtractor):
    config: Mapping[str, Any]

    def extract_records(self, response) -> Iterable[Mapping[str, Any]]:
        for label in response.json().get("values") or []:
            yield {"label": label}
