/**
 * An operation, defined once. The faces (MCP tool, HTTP route, SDK method, CLI command) are made
 * from this definition by thin adapters; nothing about an operation is written anywhere else.
 */
import type { z } from 'zod'
import type { DestinationRegistry } from '../core/destination-registry.ts'
import type {
  ConnectionApi,
  DestinationApi,
  LogReaderApi,
  SourceApi,
  SyncApi,
} from '../durable-object/rpc.ts'
import type { OwnedSource } from '../durable-object/source-owner.ts'
import type { Setup, SetupRequest, SetupState } from '../http/setup-contract.ts'
import type { ConnectorContext, ObjectStore } from '../runtime/contract.ts'
import type { Caller, Scope } from './caller.ts'
import type { RefKind, ResolvedRef } from './refs.ts'
import type { TenantAgentApi } from './tenant.ts'
import type { WorkspaceSources } from './workspace-connectors.ts'

export type Face = 'mcp' | 'http' | 'sdk' | 'cli' | 'page'

export type Toolset = 'explore' | 'setup' | 'pipelines' | 'data'

/** The MCP face; an operation without it is reached by HTTP, SDK and CLI only. */
export interface ToolFace {
  /** `snake_case`, at most 64 characters. */
  name: string
  title: string
  /** At most 350 characters: what it does, when not to use it, what comes before or after. */
  description: string
  toolset: Toolset
}

export interface Effect {
  readOnly: boolean
  /** Deletes or overwrites something that the person may want back. */
  destructive: boolean
  /** Calling it again with the same input changes nothing more. */
  idempotent: boolean
  /** Touches another system (a source, a destination). */
  openWorld: boolean
}

export interface HttpFace {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** Under `/api/v1`, with `:field` for input fields that travel in the path. */
  path: string
}

export interface CliFace {
  /** Words of the command: `connections create`. */
  command: string
  /** Input fields given without a flag, in order. */
  positional: string[]
}

/** Progress of a long call; `total` may be unknown. */
export interface ProgressUpdate {
  progress: number
  total?: number
  message?: string
}

/** The entity objects of one workspace, by id. */
export interface EntityObjects {
  source(id: string): SourceApi
  destination(id: string): DestinationApi
  connection(id: string): ConnectionApi
  sync(syncId: number): SyncApi
  /** The reader of a source's log. */
  log(sourceId: string): Pick<LogReaderApi, 'report'>
}

/** What a handler works with. `createOperationContext` makes it from the Worker's environment. */
export interface OperationContext {
  tenantId: string
  caller: Caller
  face: Face
  env: Env
  signal: AbortSignal
  progress(update: ProgressUpdate): void
  /** Origin of the pages, without a trailing slash. */
  publicUrl: string
  tenant: TenantAgentApi
  objects: EntityObjects
  registries: {
    sources: WorkspaceSources
    destinations: DestinationRegistry
  }
  /** A connector's context for a check, a discovery or a preview inside this Worker. */
  connector(signal: AbortSignal, budgetMs: number, source?: OwnedSource): ConnectorContext
  /** Receipts and rejected rows of the workspace. */
  staging: ObjectStore
  /** Links to the page where a person enters credentials. */
  setups: {
    create(request: Omit<SetupRequest, 'tenantId' | 'subject'>): Promise<Setup>
    get(setupId: string): Promise<SetupState | null>
  }
  /** Values that must not leave in a result, a log or an error of this call. */
  secrets: Set<string>
}

/** The context of a handler: `refs` holds what its reference fields resolved to. */
export type HandlerContext<R extends Refs> = OperationContext & {
  refs: { [Field in keyof R]: ResolvedRef }
}

export type Refs = Record<string, RefKind | readonly RefKind[]>

export interface Operation<
  Id extends string = string,
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
  R extends Refs = Refs,
> {
  /** `group.verb`; also the SDK path (`airbyte.group.verb`). */
  id: Id
  tool?: ToolFace
  title: string
  /** One to three sentences for people; at most 350 characters. */
  description: string
  /** `z.strictObject`: a misspelt field is an error, not a silent default. */
  input: I
  /** `z.looseObject`: a field added later must not break clients that cached the schema. */
  output: O
  scopes: readonly Scope[]
  effect: Effect
  http: HttpFace
  cli: CliFace
  /** Input fields that name something of the workspace, and its kind. They arrive in the handler as ids. */
  refs?: R
  handler: Handler<I, O, R>
}

/** Without index signatures, which interfaces do not have: extra fields are allowed anyway. */
type Declared<T> = T extends readonly (infer Item)[]
  ? Declared<Item>[]
  : T extends object
    ? { [K in keyof T as string extends K ? never : K]: Declared<T[K]> }
    : T

/** A method, so that operations of every shape fit one array. */
interface HandlerHolder<I extends z.ZodObject, O extends z.ZodObject, R extends Refs> {
  call(ctx: HandlerContext<R>, input: z.output<I>): Promise<Declared<z.input<O>>>
}
export type Handler<I extends z.ZodObject, O extends z.ZodObject, R extends Refs> = HandlerHolder<
  I,
  O,
  R
>['call']

/**
 * Types an operation; returns it unchanged.
 *
 * @example
 * export const getSync = defineOperation({
 *   id: 'syncs.get',
 *   title: 'Get a sync',
 *   description: 'Status and progress of one sync.',
 *   input: z.strictObject({ sync: z.int().positive() }),
 *   output: z.looseObject({ status: z.string() }),
 *   scopes: ['workspace:read'],
 *   effect: READ,
 *   http: { method: 'GET', path: '/syncs/:sync' },
 *   cli: { command: 'syncs get', positional: ['sync'] },
 *   refs: { sync: 'sync' },
 *   handler: async (ctx, { sync }) => ctx.objects.sync(sync).get(),
 * })
 */
export function defineOperation<
  const Id extends string,
  I extends z.ZodObject,
  O extends z.ZodObject,
  const R extends Refs = Record<never, never>,
>(operation: Operation<Id, I, O, R>): Operation<Id, I, O, R> {
  return operation
}

const effect = (readOnly: boolean, destructive: boolean, idempotent: boolean) => ({
  readOnly,
  destructive,
  idempotent,
  openWorld: false,
})
/** Reads our own records. */
export const READ: Effect = effect(true, false, true)
/** Creates or starts something. */
export const WRITE: Effect = effect(false, false, false)
/** Changes something so that doing it twice is like doing it once. */
export const SET: Effect = effect(false, false, true)
/** Deletes or overwrites. */
export const DESTROY: Effect = effect(false, true, true)
/** The same effect on a third party's system too. */
export const outward = (inner: Effect): Effect => ({ ...inner, openWorld: true })
