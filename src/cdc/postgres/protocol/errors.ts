import { AirbyteError } from '../../../protocol/index.ts'
import { mapPostgresError } from '../../../runtime/postgres/errors.ts'

/** What a replication command was about. */
export interface ReplicationPlace {
  slot?: string
  publications?: string[]
  username?: string
}

/**
 * A failure of a replication command as an `AirbyteError`, with the remedy where the server's refusal
 * has one. Everything else is mapped as any statement's failure.
 */
export function mapReplicationError(error: unknown, place: ReplicationPlace): AirbyteError {
  const { code: known, message } = sqlError(error)
  const code = known as keyof typeof REFUSALS
  const refusal = REFUSALS[code]?.find(({ when }) => when.test(message))
  if (!refusal) return mapPostgresError(error)
  return new AirbyteError(refusal.code, `PostgreSQL: ${message} (${code}).`, {
    hint: refusal.hint(place),
    field: refusal.field,
    cause: error,
  })
}

interface Refusal {
  when: RegExp
  code: 'CDC_SETUP_REQUIRED' | 'CDC_SLOT_IN_USE' | 'CDC_POSITION_LOST'
  field?: string
  hint(place: ReplicationPlace): string
}

const quoted = (name?: string) => (name ? `'${name}'` : 'of this source')
const SLOT_FIELD = 'config.replication_method.replication_slot'
const PUBLICATION_FIELD = 'config.replication_method.publication'

const needsReplication: Refusal = {
  when: /replication|wal ?sender|slot/i,
  code: 'CDC_SETUP_REQUIRED',
  field: 'config.username',
  hint: ({ username = 'the user' }) =>
    `Run ALTER ROLE "${username}" REPLICATION; as a superuser (Amazon RDS: GRANT rds_replication TO "${username}"; Cloud SQL: ALTER USER "${username}" WITH REPLICATION).`,
}

const lost: Refusal = {
  when: /./,
  code: 'CDC_POSITION_LOST',
  hint: ({ slot }) =>
    `The slot ${quoted(slot)} lost log that was not read yet. Drop it, raise max_slot_wal_keep_size, and refresh the streams.`,
}

/** By SQLSTATE; the message tells apart what shares a code. */
const REFUSALS: Record<string, Refusal[]> = {
  '42501': [needsReplication],
  '28000': [{ ...needsReplication, when: /replication/i }],
  '53300': [
    {
      when: /max_wal_senders|replication/i,
      code: 'CDC_SETUP_REQUIRED',
      hint: () =>
        'Raise max_wal_senders at the server and restart it, or stop a standby that is not needed.',
    },
  ],
  '53400': [
    {
      when: /replication slots/i,
      code: 'CDC_SETUP_REQUIRED',
      field: SLOT_FIELD,
      hint: () =>
        'Raise max_replication_slots at the server and restart it, or drop a slot that nobody reads (pg_replication_slots).',
    },
  ],
  '42704': [
    {
      when: /publication/i,
      code: 'CDC_SETUP_REQUIRED',
      field: PUBLICATION_FIELD,
      hint: ({ publications = [] }) =>
        `Create the publication ${publications.map(quoted).join(' or ')} again as it was, and refresh the streams: what was written meanwhile may be missing.`,
    },
    {
      when: /slot/i,
      code: 'CDC_POSITION_LOST',
      field: SLOT_FIELD,
      hint: ({ slot }) => `The slot ${quoted(slot)} was dropped. Refresh the streams.`,
    },
  ],
  '55006': [
    {
      when: /active/i,
      code: 'CDC_SLOT_IN_USE',
      field: SLOT_FIELD,
      hint: ({ slot }) =>
        `Stop the other reader of the slot ${quoted(slot)}, or give this source a slot of its own.`,
    },
  ],
  '55000': [
    {
      when: /wal_level/i,
      code: 'CDC_SETUP_REQUIRED',
      hint: () =>
        'Set wal_level = logical at the server and restart it (Amazon RDS: rds.logical_replication = 1; Cloud SQL: cloudsql.logical_decoding = on).',
    },
    { ...lost, when: /can no longer (?:get|access)|invalidated|reserved|exceeded/i },
  ],
  '58P01': [{ ...lost, when: /requested WAL segment/i }],
}

function sqlError(error: unknown): { code: string; message: string } {
  const inner = error instanceof AirbyteError && error.cause !== undefined ? error.cause : error
  const { code, message } = (inner ?? {}) as Record<string, unknown>
  return {
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message.replace(/\.$/, '') : String(inner),
  }
}
