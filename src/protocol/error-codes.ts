export type ErrorKind = 'config' | 'transient' | 'system'

interface CodeEntry {
  kind: ErrorKind
  /** HTTP status when an operation fails with it. */
  status: number
  /** One sentence for docs/errors.md: when it happens. */
  when: string
  /** What the person or agent should do. */
  next: string
}

/**
 * Every failure the product can report: stable codes, one paragraph each.
 * docs/errors.md is generated from this table (`npm run generate`).
 */
export const ERROR_CODES = {
  // operations
  VALIDATION_FAILED: {
    kind: 'config',
    status: 422,
    when: 'An argument or a config field is missing, unknown or of the wrong type.',
    next: 'Correct the named field and call again.',
  },
  SECRET_IN_ARGUMENTS: {
    kind: 'config',
    status: 422,
    when: 'A credential was given where it would pass through a model or a log.',
    next: 'Leave the field out, open the setup_url in a browser and enter it there. Rotate the value that was sent.',
  },
  NOT_FOUND: {
    kind: 'config',
    status: 404,
    when: 'No such source, destination, connection, sync or connector in this workspace.',
    next: 'List what exists and use one of those ids or names.',
  },
  CONNECTOR_NOT_FOUND: {
    kind: 'config',
    status: 404,
    when: 'No connector has this name.',
    next: 'Search the catalog, or use one of the nearest names.',
  },
  NAME_TAKEN: {
    kind: 'config',
    status: 409,
    when: 'Another source, destination, connection or connector has this name.',
    next: 'Choose another name, or update the one that exists.',
  },
  IN_USE: {
    kind: 'config',
    status: 409,
    when: 'A source or destination is deleted while connections use it, or a connector while sources use it.',
    next: 'Delete those that are named in the message first.',
  },
  CONFLICT: {
    kind: 'config',
    status: 409,
    when: 'The thing changed since it was read.',
    next: 'Read it again and repeat the change.',
  },
  PLAN_CHANGED: {
    kind: 'config',
    status: 409,
    when: 'A connection is created by a plan, and what the plan rests on is no longer as it was.',
    next: 'Plan again, look at what is different, and create with the new hash.',
  },
  SYNC_RUNNING: {
    kind: 'config',
    status: 409,
    when: 'A sync of this connection is already running.',
    next: 'Follow the running sync, or cancel it first.',
  },
  SYNC_SLOTS_FULL: {
    kind: 'transient',
    status: 429,
    when: 'As many syncs run in this workspace as it may run at once.',
    next: 'Wait for one to end. Scheduled syncs wait by themselves.',
  },
  CONNECTION_PAUSED: {
    kind: 'config',
    status: 409,
    when: 'The connection is paused.',
    next: 'Resume it, then sync.',
  },
  AWAITING_CREDENTIALS: {
    kind: 'config',
    status: 409,
    when: 'The secret fields of this source or destination have not been entered yet.',
    next: 'Open the setup_url in a browser, enter them, and try again.',
  },
  UNAUTHORIZED: {
    kind: 'config',
    status: 401,
    when: 'No valid token or API key came with the call.',
    next: 'Sign in again or use a valid API key.',
  },
  FORBIDDEN: {
    kind: 'config',
    status: 403,
    when: 'The token lacks the scope that the operation needs.',
    next: 'Ask for a token with the named scope.',
  },
  LICENSE_REFUSED: {
    kind: 'config',
    status: 403,
    when: 'A connector is under a licence that this installation does not allow, or its licence is not known.',
    next: 'Use another connector, or let the operator add the licence to ALLOWED_CONNECTOR_LICENSES after reading it.',
  },
  CONFIRMATION_REQUIRED: {
    kind: 'config',
    status: 409,
    when: 'A destructive operation was called without its confirmation.',
    next: 'Repeat the call with the confirm value from the message.',
  },
  // connectors: configuration
  AUTH_FAILED: {
    kind: 'config',
    status: 422,
    when: 'The other system refused the credentials.',
    next: 'Enter valid credentials for the named user.',
  },
  REAUTHORIZE: {
    kind: 'config',
    status: 422,
    when: 'An OAuth grant was revoked or its answer was lost.',
    next: 'Authorize the source again through its setup_url.',
  },
  PERMISSION_DENIED: {
    kind: 'config',
    status: 422,
    when: 'The credentials are valid but lack a right on the named object.',
    next: 'Grant the right named in the message, or deselect the stream.',
  },
  HOST_UNREACHABLE: {
    kind: 'transient',
    status: 502,
    when: 'The host does not resolve or does not accept connections.',
    next: 'Check host, port and firewall.',
  },
  EGRESS_REFUSED: {
    kind: 'config',
    status: 422,
    when: 'The target address is private, link-local or otherwise not allowed.',
    next: 'Use a public address, or let the operator allow private networks.',
  },
  TLS_FAILED: {
    kind: 'config',
    status: 422,
    when: 'The server does not offer TLS, or its certificate does not verify.',
    next: 'Add the CA certificate to the config, or choose another SSL mode knowingly.',
  },
  STREAM_NOT_FOUND: {
    kind: 'config',
    status: 422,
    when: 'The source has no stream of this name.',
    next: 'Discover the source and use one of its stream names.',
  },
  MODE_UNSUPPORTED: {
    kind: 'config',
    status: 422,
    when: 'The stream or the destination cannot do the asked sync mode.',
    next: 'Use one of the modes listed in the message.',
  },
  CURSOR_MISSING: {
    kind: 'config',
    status: 422,
    when: 'An incremental stream has no usable cursor field.',
    next: 'Name a cursor column that exists in the stream.',
  },
  PRIMARY_KEY_MISSING: {
    kind: 'config',
    status: 422,
    when: 'A deduplicating mode was asked of a stream without a primary key.',
    next: 'Name a primary key, or use an append or overwrite mode.',
  },
  TABLE_TAKEN: {
    kind: 'config',
    status: 409,
    when: 'Another connection writes to this destination table.',
    next: 'Give this connection its own namespace or prefix.',
  },
  SCHEDULE_INVALID: {
    kind: 'config',
    status: 422,
    when: 'The cron expression or its time zone is not valid, or a continuous connection has streams that are not read from a log.',
    next: 'Use five cron fields and an IANA time zone, for example "0 */6 * * *" and "Europe/Berlin"; or do what the hint says.',
  },
  SCHEMA_CHANGED: {
    kind: 'config',
    status: 409,
    when: 'The source schema changed in a way that needs a decision.',
    next: 'Review the change and accept or refresh the stream.',
  },
  COLUMNS_CHANGED: {
    kind: 'config',
    status: 409,
    when: 'Columns of a table were dropped or changed while a sync ran, after it had discovered them.',
    next: 'Sync again: the next sync has the columns as they are by then, as far as schemaChanges allows it.',
  },
  EMPTY_OVERWRITE_HELD: {
    kind: 'config',
    status: 409,
    when: 'A full refresh read no rows while the destination table has some.',
    next: 'If the source is really empty, accept the empty overwrite; else fix the source and sync again.',
  },
  TYPE_UNSUPPORTED: {
    kind: 'config',
    status: 422,
    when: 'A column has a type that cannot be moved in the asked way.',
    next: 'Deselect the column or choose another mode.',
  },
  // connectors: transient
  RATE_LIMITED: {
    kind: 'transient',
    status: 429,
    when: 'The other system asked to slow down.',
    next: 'Nothing: the sync goes on by itself when the limit resets.',
  },
  CONNECTION_LOST: {
    kind: 'transient',
    status: 502,
    when: 'An open connection to the other system broke.',
    next: 'Nothing: the sync resumes from its last checkpoint.',
  },
  TIMEOUT: {
    kind: 'transient',
    status: 504,
    when: 'The other system did not answer in time.',
    next: 'Nothing: the sync tries again. If it stays, look at the load of that system.',
  },
  UPSTREAM_ERROR: {
    kind: 'transient',
    status: 502,
    when: 'The other system answered with an error of its own.',
    next: 'Nothing at first: the sync tries again. If it stays, show the message to the owner of that system.',
  },
  REQUEST_REFUSED: {
    kind: 'system',
    status: 502,
    when: 'An API refused a request, and trying again would not change that.',
    next: 'Look at what the API said. If the connector asks for something wrong, report it.',
  },
  JOB_FAILED: {
    kind: 'system',
    status: 502,
    when: 'A job that an API was asked to run, such as an export, failed or ran out of time three times, or has a status that the connector does not know.',
    next: 'Look at what the API says of its jobs, then sync again. A status that is not known is for the owner of the connector.',
  },
  SOURCE_MISCONFIGURED: {
    kind: 'config',
    status: 422,
    when: 'An API refuses a request, or a database a row, because of how the source is set up.',
    next: 'Correct the source config as the message says.',
  },
  DESTINATION_FULL: {
    kind: 'config',
    status: 507,
    when: 'The destination has no room left.',
    next: 'Free or add space; the sync resumes where it stopped.',
  },
  DESTINATION_READ_ONLY: {
    kind: 'config',
    status: 422,
    when: 'The destination refuses writes (read-only transaction or replica).',
    next: 'Point the destination at the primary, or lift the read-only setting.',
  },
  MEMORY_BUDGET: {
    kind: 'transient',
    status: 503,
    when: 'Too many slices share one isolate; the task waits its turn.',
    next: 'Nothing: it is retried shortly.',
  },
  QUERY_INVALID: {
    kind: 'config',
    status: 422,
    when: 'A query cannot be read, names something that is not there, or asks for what the engine cannot do.',
    next: 'Correct the SQL as the message says. One SELECT is taken; it only reads.',
  },
  QUERY_LIMIT: {
    kind: 'config',
    status: 413,
    when: 'A query would read, hold or compute more than one call may.',
    next: 'Select fewer columns or rows; sums over a whole table cost less than groups, sorts and joins.',
  },
  // syncs
  FENCE_LOST: {
    kind: 'transient',
    status: 409,
    when: 'A worker woke up after its lease and was superseded; its writes were refused.',
    next: 'Nothing: the newer worker goes on.',
  },
  NO_PROGRESS: {
    kind: 'system',
    status: 500,
    when: 'A task was attempted three times without any progress (for example, it ran out of memory).',
    next: 'Look at the sync log; lower the chunk size or report the stream.',
  },
  CANCELLED: {
    kind: 'config',
    status: 409,
    when: 'The sync was cancelled.',
    next: 'Start it again when ready; it continues from the last committed state.',
  },
  VALUE_REJECTED: {
    kind: 'config',
    status: 422,
    when: 'The destination refused a chunk because a value in it does not fit its column.',
    next: 'Nothing: the chunk is loaded again row by row and the rows that do not fit go to the rejects.',
  },
  REJECTS_OVER_THRESHOLD: {
    kind: 'config',
    status: 422,
    when: 'More rows were rejected than the connection allows.',
    next: 'Read the rejects, fix the data or raise the threshold, and sync again.',
  },
  STAGED_CHUNK_CHANGED: {
    kind: 'system',
    status: 500,
    when: 'A staged chunk does not have the bytes it was written with.',
    next: 'Sync again: the chunk is read anew from the source.',
  },
  CONNECTOR_DAMAGED: {
    kind: 'system',
    status: 500,
    when: 'The stored manifest of an imported connector is missing, or does not have the bytes it was imported with.',
    next: 'Upgrade the connector to the version that it has: it is fetched and stored anew.',
  },
  STATE_INVALID: {
    kind: 'config',
    status: 422,
    when: 'The saved state of a stream does not have a form this connector knows.',
    next: 'Refresh the stream, or set a valid state.',
  },
  STREAM_INCOMPLETE: {
    kind: 'system',
    status: 500,
    when: 'The source ended without reporting the stream complete.',
    next: 'Sync again; if it repeats, report the connector.',
  },
  // templates of declarative manifests
  TEMPLATE_INVALID: {
    kind: 'config',
    status: 422,
    when: 'A template in a manifest cannot be read.',
    next: 'Correct the template at the line and column in the message.',
  },
  TEMPLATE_FAILED: {
    kind: 'config',
    status: 422,
    when: 'A template in a manifest failed on the values it was given, or grew past its limits.',
    next: 'Correct the template at the line and column in the message, or the config it reads.',
  },
  // change data capture
  CDC_SETUP_REQUIRED: {
    kind: 'config',
    status: 422,
    when: 'The database is not set up so that its changes can be read: a server setting, a right, a slot or a publication is missing.',
    next: 'Make the change that the message names at the database, then try again.',
  },
  CDC_TABLE_UNSUITABLE: {
    kind: 'config',
    status: 422,
    when: 'The changes of a table cannot be captured as it is, or capturing them would break its updates.',
    next: 'Do what the message names at the table, read it as insert-only, or deselect the stream.',
  },
  CDC_POSITION_LOST: {
    kind: 'config',
    status: 409,
    when: 'The log no longer holds the changes after the saved position: the slot is lost or was recreated, or the log was purged.',
    next: 'Refresh the streams: nothing is read anew until someone asks for it.',
  },
  CDC_SLOT_IN_USE: {
    kind: 'transient',
    status: 409,
    when: 'Another reader holds the replication slot.',
    next: 'Stop the other reader, or give this source a slot of its own.',
  },
  // platform
  KEY_MISSING: {
    kind: 'system',
    status: 500,
    when: 'No encryption key is configured and the server is not in local mode.',
    next: 'Set the secret ENCRYPTION_KEYS (npm run deploy creates one).',
  },
  DECRYPTION_FAILED: {
    kind: 'system',
    status: 500,
    when: 'A stored secret does not decrypt with any configured key.',
    next: 'Restore the key version named in the message, or enter the secret again.',
  },
  TOO_LARGE: {
    kind: 'config',
    status: 413,
    when: 'A request, value or response is larger than allowed.',
    next: 'Send less at once; the limit is in the message.',
  },
  UNSUPPORTED: {
    kind: 'config',
    status: 501,
    when: 'The connector cannot do what was asked.',
    next: 'See the capabilities of the connector.',
  },
  INTERNAL: {
    kind: 'system',
    status: 500,
    when: 'A failure that nobody foresaw.',
    next: 'Try again; if it repeats, report it with the sync id.',
  },
} as const satisfies Record<string, CodeEntry>

export type ErrorCode = keyof typeof ERROR_CODES
