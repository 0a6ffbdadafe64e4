import type { JsonObject, JsonSchema, JsonValue } from '../../../protocol/index.ts'
import type { Authenticator } from '../auth/types.ts'
import type { Component } from '../component.ts'
import type { Decoder } from '../decoders/index.ts'
import type { Environment, Slice } from '../environment.ts'
import type { Backoff } from '../errors/backoff.ts'
import type { ErrorHandler } from '../errors/handler.ts'
import type { PaginationStrategy } from '../paginator/strategies.ts'
import type { PartitionRouter } from '../partition/types.ts'
import type { Value } from '../python/values.ts'
import type { Transformation } from '../records/transformations.ts'
import type { RecordData } from '../records/types.ts'
import type { Answer } from '../requester/answer.ts'
import type { Requester } from '../requester/http-requester.ts'
import type { Retriever } from '../stream/retriever.ts'

type Many<Item> = Iterable<Item> | AsyncIterable<Item>

/** What a class of each family makes: the part that the engine then uses in place of its own. */
export interface CustomParts {
  authenticator: Authenticator
  backoffStrategy: Backoff
  /** Changes the config in place. */
  configTransformation: (config: JsonObject) => void
  /** The bodies that a response holds. */
  decoder: (answer: Answer) => Many<Value>
  errorHandler: ErrorHandler
  paginationStrategy: PaginationStrategy
  partitionRouter: PartitionRouter
  /** The records that a response holds. */
  recordExtractor: (answer: Answer) => Many<RecordData>
  /** Whether a record is kept. */
  recordFilter: (record: RecordData, slice: Slice, token: JsonValue) => boolean
  requester: Requester
  retriever: Retriever
  schemaLoader: () => JsonSchema | Promise<JsonSchema>
  /** Brings a record to its schema, in place. */
  schemaNormalization: (record: RecordData, schema: JsonSchema) => void
  /** A state of an older form as the stream writes it now; one that needs no change as it is. */
  stateMigration: (state: JsonObject) => JsonObject
  transformation: Transformation
  /** What is wrong with a value of the config; undefined: nothing. */
  validationStrategy: (value: JsonValue) => string | undefined
}

export type CustomFamily = keyof CustomParts

/** What a class gets besides its node of the manifest. */
export interface CustomContexts extends Record<CustomFamily, object> {
  authenticator: InStream
  backoffStrategy: InStream
  configTransformation: InConfig
  decoder: InStream
  errorHandler: InStream
  paginationStrategy: InStream
  /** `parentState`: what the stream saved of its parents; `incremental`: the stream has a cursor. */
  partitionRouter: InStream & { parentState: JsonObject | undefined; incremental: boolean }
  /** `decode`: the stream's own decoder. */
  recordExtractor: InStream & Pick<Decoder, 'decode'>
  recordFilter: InStream
  requester: InStream
  /** `stock`: the retriever that the same node would be as a `SimpleRetriever`. */
  retriever: InStream & { stock(): Retriever }
  schemaLoader: InStream
  schemaNormalization: InStream
  /** `stream`: the node of the stream whose state it is. */
  stateMigration: InStream & { stream: Component }
  transformation: InStream
  validationStrategy: InConfig
}

interface InStream {
  env: Environment
}
interface InConfig {
  config: JsonObject
}

/** The `type` by which a manifest names a class of the family. */
export const CUSTOM_TYPES = {
  authenticator: 'CustomAuthenticator',
  backoffStrategy: 'CustomBackoffStrategy',
  configTransformation: 'CustomConfigTransformation',
  decoder: 'CustomDecoder',
  errorHandler: 'CustomErrorHandler',
  paginationStrategy: 'CustomPaginationStrategy',
  partitionRouter: 'CustomPartitionRouter',
  recordExtractor: 'CustomRecordExtractor',
  recordFilter: 'CustomRecordFilter',
  requester: 'CustomRequester',
  retriever: 'CustomRetriever',
  schemaLoader: 'CustomSchemaLoader',
  schemaNormalization: 'CustomSchemaNormalization',
  stateMigration: 'CustomStateMigration',
  transformation: 'CustomTransformation',
  validationStrategy: 'CustomValidationStrategy',
} as const satisfies Record<CustomFamily, string>
