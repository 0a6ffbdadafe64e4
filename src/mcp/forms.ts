import {
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Operation, OperationContext } from '../operations/define.ts'
import { AirbyteError, isObject, toAirbyteError } from '../protocol/index.ts'
import { chosenStreams, streamForm, wantsStreams } from './stream-form.ts'

/** A form for the person: plain fields only, as every version of the protocol has them. */
export interface Form {
  message: string
  properties: Record<string, FormField>
  required: string[]
}

type FormField =
  | { type: 'string'; title: string; description?: string }
  | { type: 'string'; title: string; enum: string[]; default: string }
  | { type: 'boolean'; title: string; default: boolean }

type Input = Record<string, unknown>
type Run = (input: unknown) => Promise<Record<string, unknown>>

const CONFIRMATION = 'confirmation'
const STREAMS = 'streams'
/** Fields by which a model says what only a person can. */
const CONFIRMING = ['confirm', 'acceptLicense']

/**
 * Runs an operation for a client that can show the person forms: what erases something, or accepts
 * terms, is confirmed by the person, whatever the model says, and streams that nobody has named are
 * chosen by them. The call comes again with what was entered; it says by itself what it is about, so
 * nothing else has to be kept between the two.
 *
 * @throws CONFIRMATION_REQUIRED when the person says no, or something else than was asked
 */
export async function runWithForms(
  operation: Operation,
  context: OperationContext,
  input: unknown,
  ctx: ServerContext,
  run: Run,
): Promise<Record<string, unknown> | InputRequiredResult> {
  if (!isObject(input)) return run(input)
  const [streams, confirmation] = [STREAMS, CONFIRMATION].map((key) => answerTo(ctx, key))
  const chosen = streams
    ? { ...input, streams: await chosenStreams(context, input, streams) }
    : input
  if (confirmation) return run({ ...chosen, ...confirmation })
  if (!streams && wantsStreams(operation, input)) {
    const form = await streamForm(context, input)
    if (form) return asking(STREAMS, form)
  }
  try {
    const unconfirmed = Object.entries(chosen).filter(([name]) => !CONFIRMING.includes(name))
    return await run(Object.fromEntries(unconfirmed))
  } catch (error) {
    const form = confirmationForm(toAirbyteError(error))
    if (form) return asking(CONFIRMATION, form)
    throw error
  }
}

/** What the person entered; undefined when nothing was asked yet. */
function answerTo(ctx: ServerContext, key: string): Input | undefined {
  const answer = inputResponse(ctx.mcpReq.inputResponses, key)
  if (answer.kind !== 'elicit') return undefined
  if (answer.action === 'accept') return answer.content ?? {}
  throw new AirbyteError('CONFIRMATION_REQUIRED', 'The person was asked and did not agree.', {
    hint: 'Nothing was changed. Ask the person what they want instead.',
  })
}

function confirmationForm({ code, field, message }: AirbyteError): Form | undefined {
  if (code !== 'CONFIRMATION_REQUIRED' || !field || !CONFIRMING.includes(field)) return undefined
  const title = field === 'confirm' ? 'Its name' : 'Licence that you accept'
  const description = 'Type it as it stands above.'
  return {
    message: `${message} Type its name to go on.`,
    properties: { [field]: { type: 'string', title, description } },
    required: [field],
  }
}

function asking(key: string, { message, properties, required }: Form): InputRequiredResult {
  const requestedSchema = { type: 'object' as const, properties, required }
  return inputRequired({
    inputRequests: { [key]: inputRequired.elicit({ message, requestedSchema }) },
  })
}
