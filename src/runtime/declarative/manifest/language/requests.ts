import { authenticator, pagedRetriever, requestOption, transformation } from './families.ts'
import {
  anything,
  type ComponentTypes,
  choice,
  either,
  flag,
  list,
  mapOf,
  needed,
  number,
  of,
  templates,
  text,
  whole,
} from './kinds.ts'

const names = list(text)
const matchers = list(of('HttpRequestRegexMatcher'))
const wholeOrText = either(whole, text)
const numberOrText = either(number, text)
const fieldsOrText = either(mapOf(text), text)

export const REQUESTS: ComponentTypes = {
  HttpRequester: {
    url: text,
    url_base: text,
    path: text,
    http_method: choice('GET', 'POST'),
    authenticator,
    error_handler: of('DefaultErrorHandler', 'CompositeErrorHandler', 'CustomErrorHandler'),
    request_parameters: either(mapOf(either(text, of('QueryProperties'))), text),
    request_headers: fieldsOrText,
    request_body_data: fieldsOrText,
    request_body_json: either(templates, text),
    request_body: of(
      'RequestBodyPlainText',
      'RequestBodyUrlEncodedForm',
      'RequestBodyJsonObject',
      'RequestBodyGraphQL',
    ),
    query_properties: of('QueryProperties'),
    fetch_properties_from_endpoint: of('PropertiesFromEndpoint'),
    use_cache: flag,
    connect_timeout_in_seconds: number,
    read_timeout_in_seconds: number,
    use_tcp_keepalive: flag,
  },
  RequestBodyPlainText: { value: needed(text) },
  RequestBodyUrlEncodedForm: { value: needed(mapOf(text)) },
  RequestBodyJsonObject: { value: needed(templates) },
  RequestBodyGraphQL: { value: needed(of('RequestBodyGraphQlQuery')) },
  RequestBodyGraphQlQuery: { query: needed(text) },
  RequestPath: {},
  RequestOption: {
    inject_into: needed(choice('request_parameter', 'header', 'body_data', 'body_json')),
    field_name: text,
    field_path: names,
  },

  QueryProperties: {
    property_list: needed(either(names, of('PropertiesFromEndpoint'))),
    always_include_properties: names,
    property_chunking: of('PropertyChunking'),
    property_selector: of('JsonSchemaPropertySelector'),
  },
  PropertiesFromEndpoint: { property_field_path: needed(names), retriever: needed(pagedRetriever) },
  PropertyChunking: {
    property_limit_type: needed(choice('characters', 'property_count')),
    property_limit: whole,
    record_merge_strategy: of('GroupByKeyMergeStrategy'),
  },
  GroupByKeyMergeStrategy: { key: needed(either(text, names)) },
  JsonSchemaPropertySelector: { transformations: list(transformation) },

  CompositeErrorHandler: {
    error_handlers: needed(
      list(of('DefaultErrorHandler', 'CompositeErrorHandler', 'CustomErrorHandler')),
    ),
  },
  DefaultErrorHandler: {
    backoff_strategies: list(
      of(
        'ConstantBackoffStrategy',
        'ExponentialBackoffStrategy',
        'WaitTimeFromHeader',
        'WaitTimeFromResponse',
        'WaitUntilTimeFromHeader',
        'CustomBackoffStrategy',
      ),
    ),
    max_retries: wholeOrText,
    response_filters: list(of('HttpResponseFilter')),
  },
  HttpResponseFilter: {
    action: choice(
      'SUCCESS',
      'FAIL',
      'RETRY',
      'IGNORE',
      'RATE_LIMITED',
      'REFRESH_TOKEN_THEN_RETRY',
      'RESET_PAGINATION',
      'REDUCE_PAGE_SIZE',
      'SPLIT_REQUEST_WINDOW',
    ),
    failure_type: choice('system_error', 'config_error', 'transient_error'),
    error_message: text,
    error_message_contains: text,
    http_codes: list(whole),
    predicate: text,
  },
  ConstantBackoffStrategy: {
    backoff_time_in_seconds: needed(numberOrText),
    jitter_range_in_seconds: number,
  },
  ExponentialBackoffStrategy: { factor: numberOrText, jitter_range_in_seconds: number },
  WaitTimeFromHeader: {
    header: needed(text),
    regex: text,
    max_waiting_time_in_seconds: numberOrText,
  },
  WaitUntilTimeFromHeader: {
    header: needed(text),
    min_wait: numberOrText,
    regex: text,
    max_waiting_time_in_seconds: numberOrText,
  },
  WaitTimeFromResponse: {
    wait_time_in_seconds: needed(text),
    max_waiting_time_in_seconds: numberOrText,
  },

  DefaultPaginator: {
    pagination_strategy: needed(
      of('PageIncrement', 'OffsetIncrement', 'CursorPagination', 'CustomPaginationStrategy'),
    ),
    page_size_option: requestOption,
    page_token_option: of('RequestOption', 'RequestPath'),
  },
  NoPagination: {},
  CursorPagination: {
    cursor_value: needed(text),
    page_size: wholeOrText,
    stop_condition: text,
    // The reference takes anything here; of a wrong one its builder says so.
    decoder: anything,
  },
  OffsetIncrement: { page_size: wholeOrText, inject_on_first_request: flag },
  PageIncrement: {
    page_size: wholeOrText,
    start_from_page: whole,
    inject_on_first_request: flag,
  },
  PaginationReset: {
    action: needed(choice('SPLIT_USING_CURSOR', 'RESET')),
    limits: of('PaginationResetLimits'),
  },
  PaginationResetLimits: { number_of_records: whole },
  PageSizeReduction: {
    reduction_factor: number,
    minimum_page_size: whole,
    max_attempts: whole,
    backoff_seconds: number,
    retries_at_minimum_page_size: whole,
    failure_message: text,
    reset_policy: choice('NEVER', 'AFTER_SUCCESSFUL_PAGE'),
  },
  RequestWindowSplitting: { failure_message: text, min_split_window: text },

  HTTPAPIBudget: {
    policies: needed(
      list(
        of('FixedWindowCallRatePolicy', 'MovingWindowCallRatePolicy', 'UnlimitedCallRatePolicy'),
      ),
    ),
    ratelimit_reset_header: text,
    ratelimit_remaining_header: text,
    status_codes_for_ratelimit_hit: list(whole),
  },
  FixedWindowCallRatePolicy: {
    period: needed(text),
    call_limit: needed(whole),
    matchers: needed(matchers),
  },
  MovingWindowCallRatePolicy: { rates: needed(list(of('Rate'))), matchers: needed(matchers) },
  UnlimitedCallRatePolicy: { matchers: needed(matchers) },
  Rate: { limit: needed(wholeOrText), interval: needed(text) },
  HttpRequestRegexMatcher: {
    method: text,
    url_base: text,
    url_path_pattern: text,
    params: templates,
    headers: templates,
    weight: wholeOrText,
  },
}
