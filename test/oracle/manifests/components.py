"""Classes that the manifests of cases/custom.yaml name: one of each family, for the real CDK.

test/runtime/declarative/custom-classes.ts has the same in TypeScript.
"""

from dataclasses import InitVar, dataclass
from typing import Any, Iterable, List, Mapping, Optional

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.auth.declarative_authenticator import DeclarativeAuthenticator
from airbyte_cdk.sources.declarative.decoders.decoder import Decoder
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor
from airbyte_cdk.sources.declarative.extractors.record_filter import RecordFilter
from airbyte_cdk.sources.declarative.migrations.state_migration import StateMigration
from airbyte_cdk.sources.declarative.partition_routers.partition_router import PartitionRouter
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.declarative.requesters.paginators.strategies.pagination_strategy import (
    PaginationStrategy,
)
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.declarative.schema.schema_loader import SchemaLoader
from airbyte_cdk.sources.declarative.transformations.config_transformations.config_transformation import (
    ConfigTransformation,
)
from airbyte_cdk.sources.declarative.transformations.transformation import RecordTransformation
from airbyte_cdk.sources.declarative.validators.validation_strategy import ValidationStrategy
from airbyte_cdk.sources.streams.http.error_handlers import (
    BackoffStrategy,
    ErrorHandler,
    ErrorResolution,
    ResponseAction,
)
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.sources.utils.transform import TransformConfig, TypeTransformer


@dataclass
class TableExtractor(RecordExtractor):
    """Rows without names, beside the names of the columns."""

    config: Mapping[str, Any]
    table: str
    parameters: InitVar[Mapping[str, Any]] = None

    def extract_records(self, response) -> Iterable[Mapping[str, Any]]:
        found = response.json().get(self.table) or {}
        for row in found.get("rows", []):
            yield dict(zip(found["columns"], row))


@dataclass
class TotalTransformation(RecordTransformation):
    """The sum of some fields, and where the record is from."""

    config: Mapping[str, Any]
    summed: List[str]
    parameters: InitVar[Mapping[str, Any]] = None

    def transform(self, record, config=None, stream_state=None, stream_slice=None) -> None:
        record["total"] = sum(record.get(name) or 0 for name in self.summed)
        record["region"] = (stream_slice or {}).get("region")
        record["account"] = config["account"]


@dataclass
class AccountAuthenticator(DeclarativeAuthenticator):
    """A header of two values of the config, and a parameter."""

    config: Mapping[str, Any]
    header: str
    parameters: InitVar[Mapping[str, Any]] = None

    @property
    def auth_header(self) -> str:
        return self.header

    @property
    def token(self) -> str:
        return f"Account {self.config['account']}:{self.config['key']}"

    def get_request_params(self) -> Mapping[str, Any]:
        return {"account": self.config["account"]}


@dataclass
class RangeRouter(PartitionRouter):
    """Numbers from the config, a few at a time."""

    config: Mapping[str, Any]
    size: int
    field_name: str
    parameters: InitVar[Mapping[str, Any]] = None

    def stream_slices(self) -> Iterable[StreamSlice]:
        last = self.config["last"]
        for start in range(0, last, self.size):
            yield StreamSlice(
                partition={"from": start, "to": min(start + self.size, last)},
                cursor_slice={},
                extra_fields={"width": self.size},
            )

    def _options(self, stream_slice) -> Mapping[str, Any]:
        return {self.field_name: f"{stream_slice['from']}-{stream_slice['to']}"}

    def get_request_params(self, *, stream_state=None, stream_slice=None, next_page_token=None):
        return self._options(stream_slice)

    def get_request_headers(self, *, stream_state=None, stream_slice=None, next_page_token=None):
        return {}

    def get_request_body_data(self, *, stream_state=None, stream_slice=None, next_page_token=None):
        return {}

    def get_request_body_json(self, *, stream_state=None, stream_slice=None, next_page_token=None):
        return {}

    def set_initial_state(self, stream_state) -> None:
        pass

    def get_stream_state(self) -> Optional[Mapping[str, Any]]:
        return None


@dataclass
class CheckedRequester(HttpRequester):
    """An HttpRequester that adds the sum of the characters of its path to the parameters."""

    check_name: str = "check"

    def get_request_params(self, *, stream_state=None, stream_slice=None, next_page_token=None):
        own = super().get_request_params(
            stream_state=stream_state, stream_slice=stream_slice, next_page_token=next_page_token
        )
        path = self.get_path(
            stream_state=stream_state, stream_slice=stream_slice, next_page_token=next_page_token
        )
        return {**own, self.check_name: sum(map(ord, path))}


@dataclass
class RenamedStateMigration(StateMigration):
    """A state that an older version of the stream wrote under another name."""

    config: Mapping[str, Any]
    old: str
    new: str
    parameters: InitVar[Mapping[str, Any]] = None

    def should_migrate(self, stream_state) -> bool:
        return self.old in stream_state

    def migrate(self, stream_state) -> Mapping[str, Any]:
        return {self.new: stream_state[self.old]}


@dataclass
class HalvingStrategy(PaginationStrategy):
    """The token is the rest that the response says is left, until it is small."""

    config: Mapping[str, Any]
    least: int
    parameters: InitVar[Mapping[str, Any]] = None

    @property
    def initial_token(self) -> Optional[Any]:
        return None

    def next_page_token(self, response, last_page_size, last_record, last_page_token_value=None, **_):
        left = response.json()["left"] - last_page_size
        return f"{left}:{last_record['id']}" if left >= self.least else None

    def get_page_size(self) -> Optional[int]:
        return self.least


@dataclass
class ListedSchemaLoader(SchemaLoader):
    """A schema of the names that the config lists."""

    config: Mapping[str, Any]
    type_of_all: str
    parameters: InitVar[Mapping[str, Any]] = None

    def get_json_schema(self) -> Mapping[str, Any]:
        names = self.config["fields"]
        return {"type": "object", "properties": {n: {"type": self.type_of_all} for n in names}}


@dataclass
class PairsDecoder(Decoder):
    """Lines of `name=value` pairs."""

    config: Mapping[str, Any]
    separator: str = ","
    parameters: InitVar[Mapping[str, Any]] = None

    def is_stream_response(self) -> bool:
        return False

    def decode(self, response):
        for line in response.text.splitlines():
            if line:
                yield dict(pair.split("=", 1) for pair in line.split(self.separator))


@dataclass
class PatientErrorHandler(ErrorHandler):
    """A success that says `busy` in its body is asked again, a refusal that says `gone` is ignored."""

    config: Mapping[str, Any]
    attempts: int
    parameters: InitVar[Mapping[str, Any]] = None
    backoff_strategies: Optional[List[BackoffStrategy]] = None

    @property
    def max_retries(self) -> Optional[int]:
        return self.attempts

    @property
    def max_time(self) -> Optional[int]:
        return 600

    def interpret_response(self, response) -> ErrorResolution:
        if isinstance(response, Exception):
            return ErrorResolution(ResponseAction.FAIL, FailureType.system_error, "no answer")
        body = response.json()
        said = body.get("say") if isinstance(body, dict) else None
        if said == "busy":
            return ErrorResolution(ResponseAction.RETRY, FailureType.transient_error, "busy")
        if said == "gone":
            return ErrorResolution(ResponseAction.IGNORE, None, "gone")
        if response.ok:
            return ErrorResolution(ResponseAction.SUCCESS, None, None)
        return ErrorResolution(ResponseAction.FAIL, FailureType.config_error, "refused")


@dataclass
class BodyBackoff(BackoffStrategy):
    """The wait stands in the body, and grows with the attempts."""

    config: Mapping[str, Any]
    path: str
    parameters: InitVar[Mapping[str, Any]] = None

    def backoff_time(self, response_or_exception, attempt_count) -> Optional[float]:
        return response_or_exception.json().get(self.path, 0) * attempt_count or None


@dataclass
class MatchingFilter(RecordFilter):
    """Keeps records whose value is that of the slice."""

    key: str = ""

    def filter_records(self, records, stream_state, stream_slice=None, next_page_token=None):
        for record in records:
            if record.get(self.key) == (stream_slice or {}).get(self.key):
                yield record


class UpperCaseNormalization(TypeTransformer):
    """Texts that the schema marks are written in capitals."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(TransformConfig.CustomSchemaNormalization)
        self.registerCustomTransform(self.upper())

    @staticmethod
    def upper():
        def transform(value: Any, schema: Mapping[str, Any]) -> Any:
            return value.upper() if schema.get("upper") and isinstance(value, str) else value

        return transform


@dataclass
class SplitConfig(ConfigTransformation):
    """`login: account/key` as two fields."""

    parameters: InitVar[Mapping[str, Any]] = None

    def transform(self, config) -> None:
        if "login" in config:
            config["account"], config["key"] = config.pop("login").split("/")


@dataclass
class EvenNumber(ValidationStrategy):
    parameters: InitVar[Mapping[str, Any]] = None

    def validate(self, value: Any) -> None:
        if value % 2:
            raise ValueError(f"{value} is odd")


@dataclass
class RegionRetriever(SimpleRetriever):
    """Marks records with the region of their slice, and leaves out regions that the config names."""

    mark: str = "seen"

    def read_records(self, records_schema, stream_slice=None):
        region = stream_slice["region"]
        if region in self.config["skip"]:
            return
        for record in super().read_records(records_schema, stream_slice):
            record.data[self.mark] = region
            yield record
