import type { Spec } from '../../../src/runtime/contract.ts'
import { deletionMode } from '../../../src/runtime/loading/deletion-mode.ts'
import { CONNECTION } from '../../../src/runtime/mysql/spec.ts'

/** The fields of Airbyte's destination-mysql that matter here; its others are accepted and ignored. */
export const SPEC: Spec = {
  documentationUrl: 'https://docs.airbyte.com/integrations/destinations/mysql',
  supported_destination_sync_modes: ['append', 'overwrite', 'append_dedup', 'overwrite_dedup'],
  connectionSpecification: {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'MySQL Destination Spec',
    type: 'object',
    required: ['host', 'port', 'username', 'database'],
    additionalProperties: true,
    properties: {
      ...CONNECTION,
      database: {
        ...CONNECTION.database,
        description: 'Where streams without a namespace land; it also holds the ledger of loads.',
      },
      cdc_deletion_mode: deletionMode(9),
      raw_data_schema: {
        type: 'string',
        title: 'Raw table database',
        description: 'Accepted for compatibility; rows go to their tables directly.',
        order: 10,
      },
    },
  },
}
