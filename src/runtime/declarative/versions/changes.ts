/** A place where Airbyte's low-code language changed. */
export interface Change {
  /** First version in which the old meaning held; absent: from the beginning. */
  since?: string
  /** First version with the new meaning. */
  until: string
  was: string
  is: string
  /**
   * What a manifest of an older version gets here: `kept` its own meaning, `rewritten` the same
   * under its present name, `newest` the new meaning, `refused` an error with the node.
   */
  here: 'kept' | 'rewritten' | 'newest' | 'refused'
  /** Why not its own meaning. */
  because?: string
}

/** The newest version of the language that is known here. */
export const NEWEST = '7.39.1'

/** Before this version the language was another one: `$options`, `*ref(…)`, stream slicers. */
export const BETA = '0.29.0'

/**
 * Where the language changed so that a manifest can notice, in the order of the versions. What was
 * only added is not listed: it is accepted in a manifest of any version, as the CDK does.
 *
 * The page docs/declarative.md shows this list.
 */
export const CHANGES = {
  stableLanguage: {
    until: BETA,
    was: '`$options`, `*ref(…)`, stream slicers and other forms of before the beta',
    is: '`$parameters`, `$ref`, partition routers',
    here: 'refused',
    because: 'no CDK since 0.29.0 runs them; the error names the node',
  },
  legacySessionToken: {
    until: '0.35.0',
    was: '`SessionTokenAuthenticator` with `login_url` and a session of its own',
    is: 'the same is called `LegacySessionTokenAuthenticator`',
    here: 'rewritten',
  },
  nowLocal: {
    until: '0.35.4',
    was: '`now_local()` in templates',
    is: 'not part of the language; `now_utc()` and `today_with_timezone(…)` say which time they mean',
    here: 'refused',
    because: 'it gave the time of whichever machine it ran on',
  },
  lastRecords: {
    until: '0.89.0',
    was: '`last_records`, the list of the page’s records, in templates of `CursorPagination`',
    is: 'only `last_record` and `last_page_size`',
    here: 'kept',
  },
  defaultBackoff: {
    until: '1.5.0',
    was: 'without a strategy, retries wait 10, 20, 40 … seconds',
    is: 'they wait a random time that doubles, from one second on',
    here: 'newest',
    because: 'only the wait is another',
  },
  failuresAtOnce: {
    until: '1.5.0',
    was: 'only 429 and 5xx are asked again, and with `response_filters` only what these name',
    is: 'the default map of statuses holds for what no filter matches',
    here: 'newest',
    because: 'it only asks again where the sync failed',
  },
  newPartitionsFromStart: {
    until: '5.17.0',
    was: 'a partition without a state of its own is read from the start',
    is: 'it is read from the state of all partitions',
    here: 'kept',
  },
  stateOfWindow: {
    until: '6.0.0',
    was: 'the state is the greatest cursor value of records within their window',
    is: 'it is the greatest of all records, or where the window begins',
    here: 'newest',
    because: 'states are written in the newest form, so that Airbyte can go on from them',
  },
  lookbackBeyondStart: {
    until: '6.0.0',
    was: '`lookback_window` is also subtracted from the start, with or without a state',
    is: 'it is subtracted from the state and ends at the start',
    here: 'kept',
  },
  decoderNames: {
    since: '6.6.0',
    until: '6.33.3',
    was: '`GzipJsonDecoder`, `CompositeRawDecoder` with a `parser`, `ZipfileDecoder.parser`',
    is: '`GzipDecoder`, `JsonDecoder` …, `ZipfileDecoder.decoder`',
    here: 'rewritten',
  },
  clientSideUnfiltered: {
    until: '6.33.4',
    was: '`is_client_side_incremental` does not look at the state',
    is: 'records of before the state are left out',
    here: 'newest',
    because: 'they were read before',
  },
  filterFirst: {
    until: '6.33.4',
    was: 'with `is_client_side_incremental` records are filtered, then transformed',
    is: 'they are transformed, then filtered',
    here: 'kept',
  },
  streamState: {
    until: '6.34.0',
    was: '`stream_state` in templates: the state before the slice at hand',
    is: 'its mention is an error; `stream_interval` says what is being read',
    here: 'kept',
  },
  asyncNames: {
    since: '5.5.0',
    until: '6.36.3',
    was: '`urls_extractor`, `url_requester` of `AsyncRetriever`; in the slice `create_job_response.json()`, `polling_job_response.json()`, `extra_fields.url`',
    is: '`download_target_extractor`, `download_target_requester`; `creation_response`, `polling_response`, `download_target`',
    here: 'rewritten',
  },
  formatWithoutOffset: {
    until: '6.42.1',
    was: '`format_datetime` writes nothing for `%z` when the `input_format` has no zone',
    is: 'such a time is in UTC',
    here: 'newest',
    because: 'what was asked for was left out',
  },
  firstTokenZero: {
    since: '6.17.0',
    until: '6.45.2',
    was: 'a first page or offset of 0 is not sent, also with `inject_on_first_request`',
    is: 'it is sent',
    here: 'kept',
  },
  offsetOfFiltered: {
    until: '6.45.4',
    was: '`OffsetIncrement` counts records after the record filter',
    is: 'it counts what the API gave',
    here: 'newest',
    because: 'a filtered page ended the stream early, or came twice',
  },
  rulesWithoutType: {
    until: '6.59.0',
    was: '`config_normalization_rules` has no `type`',
    is: 'it needs `type: ConfigNormalizationRules`',
    here: 'rewritten',
  },
  customIncrementalSync: {
    until: '7.0.0',
    was: '`CustomIncrementalSync`, a cursor in Python',
    is: 'not part of the language',
    here: 'refused',
    because: 'its state is its own; the stream is refused with the name of the class',
  },
  retriesEndAsSystem: {
    until: '7.1.0',
    was: 'what still fails after all retries is a `system_error`',
    is: 'it has the failure type of its status, mostly `transient_error`',
    here: 'newest',
    because: 'no record changes, and who repairs it is told better',
  },
  credentialsTwice: {
    until: '7.6.4',
    was: '`client_id` and `client_secret` are sent also beside an `Authorization` header',
    is: 'the header takes their place',
    here: 'kept',
  },
  plainTextAsJson: {
    since: '6.48.2',
    until: '7.17.1',
    was: '`RequestBodyPlainText` is taken for JSON and ends in an error',
    is: 'it is sent as it is',
    here: 'newest',
    because: 'there it failed',
  },
  pageOfFiltered: {
    until: '7.23.6',
    was: '`PageIncrement` counts records after the record filter',
    is: 'it counts what the API gave',
    here: 'newest',
    because: 'a filtered page ended the stream early',
  },
  feedUnfiltered: {
    until: '7.25.0',
    was: 'the last page of a data feed comes with its records of before the state',
    is: 'they are left out',
    here: 'newest',
    because: 'they were read before',
  },
  gzipByHeader: {
    since: '6.33.3',
    until: '7.28.2',
    was: '`GzipDecoder` goes by the headers of the answer; without one that names gzip the stream fails',
    is: 'it goes by the first bytes',
    here: 'newest',
    because: 'there it failed',
  },
  nullIsTrue: {
    until: '7.28.4',
    was: 'a condition that gives null is true',
    is: 'it is false',
    here: 'kept',
  },
  windowOfNoLength: {
    since: '6.8.0',
    until: '7.34.0',
    was: 'from a state that is now, no window is read',
    is: 'with a granularity its last unit is read',
    here: 'newest',
    because: 'what came late in that unit was missed',
  },
  clampedAway: {
    since: '6.24.0',
    until: '7.34.0',
    was: 'windows whose ends are clamped leave out days',
    is: 'they follow each other',
    here: 'newest',
    because: 'what was between them was missed',
  },
  nullParentKey: {
    until: '7.34.0',
    was: 'a parent whose key is null is a partition named None',
    is: 'it is none',
    here: 'newest',
    because: 'there is nothing to ask for',
  },
} as const satisfies Record<string, Change>

/** The name of a place on the list. */
export type ChangeName = keyof typeof CHANGES
