import {
  AirbyteError,
  type DestinationSyncMode,
  type FieldRange,
  type StreamKey,
} from '../protocol/index.ts'

/** @throws VALIDATION_FAILED, MODE_UNSUPPORTED, UNSUPPORTED */
export function checkBackfill(
  stream: StreamKey,
  range: FieldRange,
  mode: DestinationSyncMode,
  source: { name: string; ranges?: boolean },
): void {
  if (range.from === undefined && range.to === undefined) {
    throw new AirbyteError('VALIDATION_FAILED', 'A backfill needs from, to, or both.', {
      field: 'backfill.from',
      hint: 'To read the whole stream again, refresh it.',
    })
  }
  if (mode.startsWith('overwrite')) {
    const message = `${stream} is overwritten by every sync; a backfill would leave only its range.`
    throw new AirbyteError('MODE_UNSUPPORTED', message, {
      stream,
      hint: 'Sync or refresh the stream instead: it is read anew as a whole.',
    })
  }
  if (source.ranges) return
  throw new AirbyteError('UNSUPPORTED', `The source '${source.name}' cannot read ranges.`, {
    stream,
    hint: 'Refresh the stream instead: it is read again from the start.',
  })
}
