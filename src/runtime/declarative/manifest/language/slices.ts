import { requestOption, simpleRouter } from './families.ts'
import { type ComponentTypes, either, flag, list, map, needed, of, text, whole } from './kinds.ts'

const names = list(text)

export const SLICES: ComponentTypes = {
  ListPartitionRouter: {
    values: needed(either(text, names)),
    cursor_field: needed(text),
    request_option: requestOption,
  },
  SubstreamPartitionRouter: { parent_stream_configs: needed(list(of('ParentStreamConfig'))) },
  ParentStreamConfig: {
    stream: needed(of('DeclarativeStream', 'StateDelegatingStream')),
    parent_key: needed(text),
    partition_field: needed(text),
    request_option: requestOption,
    incremental_dependency: flag,
    lazy_read_pointer: names,
    extra_fields: list(names),
  },
  GroupingPartitionRouter: {
    group_size: needed(whole),
    underlying_partition_router: needed(simpleRouter),
    deduplicate: flag,
  },
  UnionPartitionRouter: {
    partition_field: needed(text),
    partition_routers: needed(list(simpleRouter, 2)),
  },

  DatetimeBasedCursor: {
    cursor_field: needed(text),
    datetime_format: needed(text),
    start_datetime: needed(either(of('MinMaxDatetime'), text)),
    end_datetime: either(of('MinMaxDatetime'), text),
    start_time_option: requestOption,
    end_time_option: requestOption,
    cursor_datetime_formats: names,
    cursor_granularity: text,
    step: text,
    lookback_window: text,
    clamping: of('Clamping'),
    partition_field_start: text,
    partition_field_end: text,
    is_data_feed: flag,
    is_client_side_incremental: flag,
    is_compare_strictly: flag,
    global_substream_cursor: flag,
    allow_catalog_defined_cursor_field: flag,
  },
  Clamping: { target: needed(text), target_details: map },
  MinMaxDatetime: {
    datetime: needed(text),
    datetime_format: text,
    min_datetime: text,
    max_datetime: text,
  },
  IncrementingCountCursor: {
    cursor_field: needed(text),
    start_value: either(text, whole),
    start_value_option: requestOption,
    allow_catalog_defined_cursor_field: flag,
  },
}
