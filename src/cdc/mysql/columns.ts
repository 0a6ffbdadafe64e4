import type { Column } from '../../protocol/index.ts'

/** What the log adds to a row, by Airbyte's names; rows are ordered by the last one. */
export const CDC_COLUMNS: Column[] = [
  { name: '_ab_cdc_log_file', type: 'string' },
  { name: '_ab_cdc_log_pos', type: 'integer' },
  { name: '_ab_cdc_updated_at', type: 'timestamp_with_timezone' },
  { name: '_ab_cdc_deleted_at', type: 'timestamp_with_timezone' },
  { name: '_ab_cdc_cursor', type: 'integer' },
]

export const CDC_CURSOR = '_ab_cdc_cursor'
