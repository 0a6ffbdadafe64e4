/** Things of a workspace that an argument can name. */
export type RefKind = 'source' | 'destination' | 'connection' | 'sync' | 'connector'

/** A name or id, resolved by the tenant's index. */
export interface ResolvedRef {
  kind: RefKind
  /** UUID, or for a sync its number as text. */
  id: string
  name: string
  /** Connector type, for sources and destinations. */
  type?: string
  /** The connection of a sync. */
  connectionId?: string
}

export interface RefRequest {
  /** Path of the input field, for the error. */
  field: string
  kinds: readonly RefKind[]
  value: string
}

export interface AuditEntry {
  seq: number
  at: number
  subject: string
  callerKind: string
  clientId?: string
  face: string
  op: string
  /** Ids concerned. */
  targets: string[]
  outcome: 'allowed' | 'refused'
}
