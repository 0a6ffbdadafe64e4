import type { JsonObject } from '../../protocol/index.ts'

const SOFT_DELETE = 'Soft delete'

/** The field by which a destination is told what becomes of deleted rows. */
export const deletionMode = (order: number) => ({
  type: 'string',
  title: 'Deleted rows',
  description:
    'Whether rows that a change log says were deleted are removed, or stay with the time in _ab_cdc_deleted_at. Concerns deduplicated streams.',
  enum: ['Hard delete', SOFT_DELETE],
  default: 'Hard delete',
  order,
})

export const isSoftDelete = ({ cdc_deletion_mode: mode }: JsonObject) => mode === SOFT_DELETE
