export { Airbyte } from './airbyte.ts'
export { AirbyteError } from './error.ts'
export type {
  AirbyteOptions,
  Connection,
  Destination,
  DoneOptions,
  ErrorCode,
  InputOf,
  OperationId,
  OutputOf,
  Source,
  StartedSync,
  Stream,
  Sync,
} from './types.ts'
