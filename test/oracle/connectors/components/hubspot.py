"""What connectors/sources/hubspot/components.ts has in TypeScript, for the real CDK."""

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor


@dataclass
class PropertyHistories(RecordExtractor):
    id_field: str
    config: Mapping[str, Any]

    def extract_records(self, response) -> Iterable[Mapping[str, Any]]:
        for item in response.json().get("results") or []:
            for name, values in (item.get("propertiesWithHistory") or {}).items():
                for value in values:
                    yield {self.id_field: item["id"], "property": name, **value}
