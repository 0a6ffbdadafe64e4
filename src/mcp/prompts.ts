import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** Recipes that a person can start by name. */
export function registerPrompts(server: McpServer): void {
  server.registerPrompt(
    'set_up_pipeline',
    {
      title: 'Set up a pipeline',
      description: 'From a source to a destination, step by step, up to the first verified sync.',
      argsSchema: z.object({
        source: z.string().describe('What to read, such as "our Postgres"'),
        destination: z.string().describe('Where to, such as "Parquet files"'),
        goal: z.string().optional().describe('Which data and how often'),
      }),
    },
    ({ source, destination, goal }) =>
      asUser(`Set up a pipeline from ${source} to ${destination}.${goal ? ` ${goal}` : ''}

Find the connectors, create the source and the destination without their secrets, give me the setup links, check both, and show me the streams with their keys and cursors. Propose modes and a schedule and wait for my answer. Then create the connection, run the first sync, and report what its receipt says.`),
  )
  server.registerPrompt(
    'debug_sync',
    {
      title: 'Find out why a sync failed',
      description: 'Looks at the latest sync of a connection, its error and its log.',
      argsSchema: z.object({ connection: z.string().describe('Name or id') }),
    },
    ({ connection }) =>
      asUser(`Find out what is wrong with the connection ${connection}.

Take diagnose_sync first; where it leaves questions, look at recent syncs and at the log. Tell me the cause with its evidence, which streams it concerns, whether any data is missing, and the smallest change that solves it. Do not change anything yet.`),
  )
}

function asUser(text: string) {
  return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text } }] }
}
