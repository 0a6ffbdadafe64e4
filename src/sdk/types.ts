/** The client's types, made of the registry's by type-only imports: no handler is in the bundle. */
import type { z } from 'zod'
import type { AnyOperation } from '../../tools/index.ts'
import type { ErrorRecord } from '../protocol/errors.ts'

export type { ErrorCode, ErrorRecord } from '../protocol/errors.ts'

export type OperationId = AnyOperation['id']
type OperationOf<Id extends OperationId> = Extract<AnyOperation, { id: Id }>

/** What an operation takes, such as `InputOf<'connections.create'>`. */
export type InputOf<Id extends OperationId> = z.input<OperationOf<Id>['input']>
/** What an operation answers. */
export type OutputOf<Id extends OperationId> = z.output<OperationOf<Id>['output']>

export type Source = OutputOf<'sources.get'>
export type Destination = OutputOf<'destinations.get'>
export type Connection = OutputOf<'connections.get'>
export type Sync = OutputOf<'syncs.get'>
/** A stream as `connections.create` takes it. */
export type Stream = NonNullable<InputOf<'connections.create'>['streams']>[number]

/** The field that a group's methods take as their first argument. */
export interface Subjects {
  sources: 'source'
  destinations: 'destination'
  connections: 'connection'
  syncs: 'sync'
  connectors: 'connector'
  resources: 'id'
  setups: 'setupId'
}

type SubjectOf<Id extends string> = Id extends `${infer Group}.${string}`
  ? Group extends keyof Subjects
    ? Subjects[Group]
    : never
  : never

type OptionalIfEmpty<T> = Record<never, never> extends T ? [input?: T] : [input: T]

/** `sources.check(id)`, `syncs.get(7, { waitSeconds: 20 })`, `sources.create({ … })`. */
export type Method<Id extends OperationId> = [SubjectOf<Id>] extends [never]
  ? (...args: OptionalIfEmpty<InputOf<Id>>) => Promise<Answer<Id>>
  : SubjectOf<Id> extends keyof InputOf<Id>
    ? (
        subject: SubjectOf<Id> extends 'sync' ? number | string : string,
        ...rest: OptionalIfEmpty<Omit<InputOf<Id>, SubjectOf<Id>>>
      ) => Promise<Answer<Id>>
    : (...args: OptionalIfEmpty<InputOf<Id>>) => Promise<Answer<Id>>

/** Operations whose answer can be waited for. */
export type StartsSync = 'connections.sync' | 'connections.backfill' | 'syncs.replay'
type Answer<Id extends OperationId> = Id extends StartsSync ? StartedSync : OutputOf<Id>

type Segment<Prefix extends string> = OperationId extends infer Id
  ? Id extends `${Prefix}${infer Rest}`
    ? Rest extends `${infer Head}.${string}`
      ? Head
      : Rest
    : never
  : never

type Node<Prefix extends string> = {
  readonly [Name in Segment<Prefix>]: `${Prefix}${Name}` extends infer Id extends OperationId
    ? Method<Id>
    : Node<`${Prefix}${Name}.`>
}

/** Every operation as a method: `client.connections.create(…)`, `client.catalog.sources.list()`. */
export type Client = Node<''>

export interface DoneOptions {
  /** Called with the sync about once a second while it runs, and once at its end. */
  onProgress?: (sync: Sync) => void
  signal?: AbortSignal
}

/** A sync that was started; `done` waits for its end. */
export type StartedSync = OutputOf<'connections.sync'> & {
  /** Resolves with the succeeded sync; rejects with its error when it did not succeed. */
  done(options?: DoneOptions): Promise<Sync>
}

/** Anything with the platform's `fetch`, such as a service binding. */
export interface Fetcher {
  fetch(request: Request): Promise<Response>
}

export type AirbyteOptions =
  /** Over HTTP: `url` of the server, `token` an API key or an OAuth access token. */
  | { url: string; token?: string; client?: 'sdk' | 'cli' }
  /** Inside Cloudflare: a service binding to the Worker. */
  | { binding: Fetcher; token?: string; client?: 'sdk' | 'cli' }

export type ErrorFields = Partial<Omit<ErrorRecord, 'code' | 'message'>>
