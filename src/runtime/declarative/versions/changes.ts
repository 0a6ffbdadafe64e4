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
  lastRecords: {
    until: '0.89.0',
    was: '`last_records`, the list of the page’s records, in templates of `CursorPagination`',
    is: 'only `last_record` and `last_page_size`',
    here: 'kept',
  },
  failuresAtOnce: {
    until: '1.5.0',
    was: 'with `response_filters`, a status that none of them matches fails at once, also 429 and 503',
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
  streamState: {
    until: '6.34.0',
    was: '`stream_state` in templates: the state before the slice at hand',
    is: 'its mention is an error; `stream_interval` says what is being read',
    here: 'kept',
  },
  asyncNames: {
    since: '5.5.0',
    until: '6.36.3',
    was: '`AsyncRetriever.urls_extractor` and `url_requester`',
    is: '`download_target_extractor` and `download_target_requester`',
    here: 'rewritten',
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
  nullIsTrue: {
    until: '7.28.4',
    was: 'a condition that gives null is true',
    is: 'it is false',
    here: 'kept',
  },
} as const satisfies Record<string, Change>

/** The name of a place on the list. */
export type ChangeName = keyof typeof CHANGES
