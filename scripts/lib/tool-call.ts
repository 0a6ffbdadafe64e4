import type { Client, RequestOptions } from '@modelcontextprotocol/client'

export type ToolCall = <T = Record<string, unknown>>(
  name: string,
  args: Record<string, unknown>,
  options?: RequestOptions,
) => Promise<T>

/** Calls tools of a client; a tool's own failure is thrown with its words. */
export const toolsOf =
  (client: Client): ToolCall =>
  async <T>(name: string, args: Record<string, unknown>, options?: RequestOptions) => {
    const result = await client.callTool({ name, arguments: args }, options)
    if (result.isError) throw new Error(`${name}: ${JSON.stringify(result.content)}`)
    return result.structuredContent as T
  }
