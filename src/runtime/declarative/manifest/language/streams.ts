import {
  decoder,
  extractor,
  paginator,
  requester,
  retriever,
  router,
  schemaLoader,
  transformation,
} from './families.ts'
import {
  type ComponentTypes,
  choice,
  either,
  flag,
  list,
  map,
  needed,
  of,
  text,
  whole,
} from './kinds.ts'

const oneOrManyRouters = either(list(router), router)
const names = list(text)

export const STREAMS: ComponentTypes = {
  DeclarativeStream: {
    name: text,
    retriever: needed(retriever),
    incremental_sync: of('DatetimeBasedCursor', 'IncrementingCountCursor', 'CustomIncrementalSync'),
    primary_key: either(text, list(either(text, names))),
    schema_loader: either(list(schemaLoader), schemaLoader),
    transformations: list(transformation),
    state_migrations: list(of('LegacyToPerPartitionStateMigration', 'CustomStateMigration')),
    file_uploader: of('FileUploader'),
  },
  ConditionalStreams: { condition: needed(text), streams: needed(list(of('DeclarativeStream'))) },
  StateDelegatingStream: {
    name: needed(text),
    full_refresh_stream: needed(of('DeclarativeStream')),
    incremental_stream: needed(of('DeclarativeStream')),
    api_retention_period: text,
  },
  FileUploader: {
    requester: needed(requester),
    download_target_extractor: needed(extractor),
    file_extractor: extractor,
    filename_extractor: text,
  },
  LegacyToPerPartitionStateMigration: {},

  SimpleRetriever: {
    requester: needed(requester),
    record_selector: needed(of('RecordSelector')),
    decoder,
    paginator,
    partition_router: oneOrManyRouters,
    pagination_reset: of('PaginationReset'),
    page_size_reduction: of('PageSizeReduction'),
    request_window_splitting: of('RequestWindowSplitting'),
    ignore_stream_slicer_parameters_on_paginated_requests: flag,
  },
  AsyncRetriever: {
    record_selector: needed(of('RecordSelector')),
    status_mapping: needed(of('AsyncJobStatusMap')),
    status_extractor: needed(extractor),
    creation_requester: needed(requester),
    polling_requester: needed(requester),
    download_requester: needed(requester),
    download_target_requester: requester,
    abort_requester: requester,
    delete_requester: requester,
    download_target_extractor: extractor,
    download_extractor: of(
      'DpathExtractor',
      'CombinedExtractor',
      'ResponseToFileExtractor',
      'CustomRecordExtractor',
    ),
    download_paginator: paginator,
    partition_router: oneOrManyRouters,
    decoder,
    download_decoder: decoder,
    polling_job_timeout: either(whole, text),
    failed_retry_wait_time_in_seconds: either(whole, text),
  },
  AsyncJobStatusMap: {
    running: needed(names),
    completed: needed(names),
    failed: needed(names),
    timeout: needed(names),
    skipped: names,
  },

  DynamicDeclarativeStream: {
    name: text,
    stream_template: needed(of('DeclarativeStream', 'StateDelegatingStream')),
    components_resolver: needed(
      of('HttpComponentsResolver', 'ConfigComponentsResolver', 'ParametrizedComponentsResolver'),
    ),
    use_parent_parameters: flag,
  },
  HttpComponentsResolver: {
    retriever: needed(retriever),
    components_mapping: needed(list(of('ComponentMappingDefinition'))),
  },
  ConfigComponentsResolver: {
    stream_config: needed(either(list(of('StreamConfig')), of('StreamConfig'))),
    components_mapping: needed(list(of('ComponentMappingDefinition'))),
  },
  ParametrizedComponentsResolver: {
    stream_parameters: needed(of('StreamParametersDefinition')),
    components_mapping: needed(list(of('ComponentMappingDefinition'))),
  },
  StreamConfig: { configs_pointer: needed(names), default_values: list(map) },
  StreamParametersDefinition: { list_of_parameters_for_stream: needed(list(map)) },
  ComponentMappingDefinition: {
    field_path: needed(names),
    value: needed(text),
    value_type: choice('string', 'number', 'integer', 'boolean'),
    create_or_update: flag,
    condition: text,
  },
}
