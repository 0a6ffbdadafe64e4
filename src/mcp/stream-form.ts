import { operationById } from '../../tools/index.ts'
import type { Operation, OperationContext } from '../operations/define.ts'
import { invokeOperation } from '../operations/invoke.ts'
import { AirbyteError } from '../protocol/index.ts'
import type { Form } from './forms.ts'

/** A form with more fields is no choice any more; then the model asks in words. */
const MOST_STREAMS = 40
const MODE = 'How to read them'
const CHANGES = 'only what changed, where the source can tell'
const EVERYTHING = 'everything each time'

interface Stream {
  name: string
  namespace?: string
  syncModes: string[]
  cursorField: string[]
  sourceDefinedCursor: boolean
}

/** A connection whose streams nobody has named, and that was not planned with anybody either. */
export const wantsStreams = ({ id }: Operation, { streams, planHash }: Record<string, unknown>) =>
  id === 'connections.create' && streams === undefined && planHash === undefined

/** Undefined where there is nothing to choose, or the operation itself says what is wrong. */
export async function streamForm(
  context: OperationContext,
  { source, name }: Record<string, unknown>,
): Promise<Form | undefined> {
  const streams = await streamsOf(context, source).catch(() => [])
  if (streams.length < 2 || streams.length > MOST_STREAMS) return undefined
  const fields = streams.map((stream) => [
    labelOf(stream),
    { type: 'boolean' as const, title: labelOf(stream), default: true },
  ])
  return {
    message: `Which streams of '${source}' should '${name}' sync?`,
    properties: {
      [MODE]: { type: 'string', title: MODE, enum: [CHANGES, EVERYTHING], default: CHANGES },
      ...Object.fromEntries(fields),
    },
    required: [MODE],
  }
}

/** The streams that the person ticked, read as they said. */
export async function chosenStreams(
  context: OperationContext,
  { source }: Record<string, unknown>,
  content: Record<string, unknown>,
) {
  const ticked = (await streamsOf(context, source)).filter((s) => content[labelOf(s)] === true)
  if (ticked.length === 0) {
    throw new AirbyteError('VALIDATION_FAILED', 'The person chose no stream.', { field: 'streams' })
  }
  return ticked.map((stream) => {
    const { name, namespace } = stream
    const changes = content[MODE] === CHANGES && tellsChanges(stream)
    const syncMode = changes ? ('incremental' as const) : ('full_refresh' as const)
    return { name, ...(namespace !== undefined && { namespace }), syncMode }
  })
}

async function streamsOf(context: OperationContext, source: unknown): Promise<Stream[]> {
  const discover = operationById('sources.discover')
  if (!discover) throw new Error('no operation sources.discover')
  const limit = MOST_STREAMS + 1
  const { streams } = await invokeOperation(discover, context, { source, limit })
  return streams as Stream[]
}

const labelOf = ({ name, namespace }: Stream) =>
  namespace === undefined ? name : `${namespace}.${name}`

const tellsChanges = ({ syncModes, sourceDefinedCursor, cursorField }: Stream) =>
  syncModes.includes('incremental') && (sourceDefinedCursor || cursorField.length > 0)
