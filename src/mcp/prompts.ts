import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

/** Recipes that a person can start by name; returns the names. */
export function registerPrompts(server: McpServer): string[] {
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
  server.registerPrompt(
    'build_connector',
    {
      title: 'Build a connector',
      description: 'From the documentation of an API to a source that syncs.',
      argsSchema: z.object({
        api: z.string().describe('The API, and the address of its documentation'),
        streams: z.string().optional().describe('What to read from it'),
      }),
    },
    ({ api, streams }) =>
      asUser(`Build a source connector for ${api}.${streams ? ` It should read: ${streams}.` : ''}

First look with search_connectors whether there is one, also under another name, and whether import_connector finds one in the registry: then that is the better way. Otherwise write a manifest in Airbyte's low-code language (version, check, streams with retriever, paginator, incremental sync and schema, spec with every secret field marked airbyte_secret) from what the documentation says, not from memory. Show me the manifest and where each part comes from, wait for my answer, import it with import_connector as text, create a source from it, give me its setup link, and then check it and preview each stream. Say plainly which streams you could not try.`),
  )
  server.registerPrompt(
    'query_data',
    {
      title: 'Ask the data',
      description: 'Answers a question from the tables in the built-in warehouse.',
      argsSchema: z.object({
        question: z.string().describe('In your own words'),
        destination: z.string().optional().describe('Name or id of the warehouse'),
      }),
    },
    ({ question, destination }) =>
      asUser(`Answer from our data: ${question}

Use ${destination ? `the destination ${destination}` : 'the destination of type r2 that list_resources shows'}. See which tables and columns there are before you write SQL, and when their last sync was. Run query_data, check a surprising figure by a second query, and give me the answer with the SQL, the time of the data, and what the tables cannot tell.`),
  )
  return ['set_up_pipeline', 'debug_sync', 'build_connector', 'query_data']
}

function asUser(text: string) {
  return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text } }] }
}
