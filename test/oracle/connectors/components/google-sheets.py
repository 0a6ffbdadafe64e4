"""What connectors/sources/google-sheets/components.ts has in TypeScript, for the real CDK."""

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor


@dataclass
class RowsByHeader(RecordExtractor):
    config: Mapping[str, Any]

    def extract_records(self, response) -> Iterable[Mapping[str, Any]]:
        names, rows = (response.json().get("valueRanges") or [{}, {}])[:2]
        columns = {}
        for index, cell in enumerate((names.get("values") or [[]])[0]):
            name = str(cell).strip()
            if name:
                columns.setdefault(name, index)
        for row in rows.get("values") or []:
            record = {
                name: str(row[index]) if index < len(row) and row[index] != "" else None
                for name, index in columns.items()
            }
            if any(cell is not None for cell in record.values()):
                yield record
