import type { ConnectionConfig } from '../../../durable-object/rpc.ts'

/** What a connection does when the columns of its source change. */
export const POLICIES: Record<ConnectionConfig['schemaChanges'], string> = {
  propagate_columns: 'Take new columns over',
  propagate_fully: 'Take new columns and streams over',
  ignore: 'Ignore them',
  disable: 'Pause the connection',
}
