import {
  type ClientCapabilities,
  type InputRequest,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { capabilitiesOf } from '../../../../src/mcp/client.ts'
import { say } from './content.ts'
import { DEFAULTS, ENUMS, form } from './forms.ts'

/** Every request that one of these tools makes of the client, by the key that the suite expects. */
const ASKS = {
  user_name: form('What is your name?', { name: { type: 'string' } }),
  confirm: form('Please confirm', { ok: { type: 'boolean' } }),
  step1: form('Step 1: What is your name?', { name: { type: 'string' } }),
  step2: form('Step 2: What is your favorite color?', { color: { type: 'string' } }),
  capital_question: ask('What is the capital of France?'),
  greeting: ask('Generate a greeting'),
  client_roots: inputRequired.listRoots(),
}

function ask(text: string): InputRequest {
  const content = { type: 'text' as const, text }
  return inputRequired.createMessage({ messages: [{ role: 'user', content }], maxTokens: 100 })
}

type Key = keyof typeof ASKS

/** Capability that a client needs for a request of this kind. */
const NEEDS: Record<string, keyof ClientCapabilities> = {
  'elicitation/create': 'elicitation',
  'sampling/createMessage': 'sampling',
  'roots/list': 'roots',
}

const requests = (keys: readonly Key[]): InputRequests =>
  Object.fromEntries(keys.map((key) => [key, ASKS[key]]))

/** Tools and a prompt that need something of the client before they answer. */
export function registerAsking(
  server: McpServer,
  state: RequestStateCodec<{ round: number }>,
): void {
  const tool = (
    name: string,
    keys: readonly Key[],
    ask = async (_ctx: ServerContext, missing: InputRequests): Promise<InputRequiredResult> =>
      inputRequired({ inputRequests: missing }),
  ) =>
    server.registerTool(name, { description: `Runs ${name}.` }, async (ctx) => {
      const missing = keys.filter((key) => !isAnswered(ctx, key))
      return missing.length > 0 ? ask(ctx, requests(keys)) : say(answersOf(ctx, keys))
    })
  const withState = async (_ctx: ServerContext, inputRequests: InputRequests) =>
    inputRequired({ inputRequests, requestState: await state.mint({ round: 1 }) })

  tool('test_input_required_result_elicitation', ['user_name'])
  tool('test_streaming_elicitation', ['user_name'])
  tool('test_input_required_result_sampling', ['capital_question'])
  // Refused before the client sees it, when the client cannot sample.
  tool('test_missing_capability', ['capital_question'])
  tool('test_input_required_result_list_roots', ['client_roots'])
  tool('test_input_required_result_request_state', ['confirm'], withState)
  tool('test_input_required_result_tampered_state', ['confirm'], withState)
  const three = ['user_name', 'greeting', 'client_roots'] as const
  tool('test_input_required_result_multiple_inputs', three, withState)
  tool('test_input_required_result_capabilities', three, async (ctx, all) => {
    const able = capabilitiesOf(server, ctx)
    const asked = Object.entries(all).filter(([, { method }]) => able[NEEDS[method] ?? 'roots'])
    return inputRequired({ inputRequests: Object.fromEntries(asked) })
  })
  registerRounds(server, state)
  registerForms(server)
}

/** Two questions, one after the other: the round comes back in the state. */
function registerRounds(server: McpServer, state: RequestStateCodec<{ round: number }>): void {
  const name = 'test_input_required_result_multi_round'
  server.registerTool(name, { description: `Runs ${name}.` }, async (ctx) => {
    const { round } = ctx.mcpReq.requestState<{ round: number }>() ?? { round: 0 }
    if (round === 2 && isAnswered(ctx, 'step2')) return say(answersOf(ctx, ['step2']))
    const next = round === 1 && isAnswered(ctx, 'step1') ? 2 : 1
    return inputRequired({
      inputRequests: requests([next === 2 ? 'step2' : 'step1']),
      requestState: await state.mint({ round: next }),
    })
  })
}

/** What 2025-era clients are asked while a call is open; the SDK turns the answer into a request. */
function registerForms(server: McpServer): void {
  const once = (name: string, request: InputRequest) =>
    server.registerTool(name, { description: `Runs ${name}.` }, (ctx) =>
      answerOr(ctx, () => request),
    )
  once('test_elicitation_sep1034_defaults', DEFAULTS)
  once('test_elicitation_sep1330_enums', ENUMS)
  const message = z.object({ message: z.string() })
  server.registerTool(
    'test_elicitation',
    { description: 'Asks for a name and an address.', inputSchema: message },
    (input, ctx) =>
      answerOr(ctx, () =>
        form(input.message, {
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        }),
      ),
  )
  server.registerTool(
    'test_sampling',
    { description: 'Asks the model.', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, ctx) => answerOr(ctx, () => ask(prompt)),
  )
}

function answerOr(ctx: ServerContext, request: () => InputRequest) {
  const answered = inputResponse(ctx.mcpReq.inputResponses, 'answer')
  return answered.kind === 'missing'
    ? inputRequired({ inputRequests: { answer: request() } })
    : say(`The client answered: ${JSON.stringify(answered)}`)
}

export function isAnswered(ctx: ServerContext, key: string): boolean {
  return inputResponse(ctx.mcpReq.inputResponses, key).kind !== 'missing'
}

const answersOf = (ctx: ServerContext, keys: readonly Key[]) =>
  `state-ok ${JSON.stringify(keys.map((key) => inputResponse(ctx.mcpReq.inputResponses, key)))}`
