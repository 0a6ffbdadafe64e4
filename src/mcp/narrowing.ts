import type { Operation, Toolset } from '../operations/define.ts'

/** What of the tools a client wants to see. Switches of the URL can only take away. */
export interface Narrowing {
  readOnly: boolean
  /** Null: all of them. */
  toolsets: readonly string[] | null
}

export type ToolOperation = Operation & { tool: NonNullable<Operation['tool']> }

const TOOLSETS: readonly Toolset[] = ['explore', 'setup', 'pipelines', 'data']

/**
 * `?read_only=true&toolsets=explore,pipelines`, or the headers `X-Airbyte-Read-Only` and
 * `X-Airbyte-Toolsets`. Unknown toolsets are ignored; a list of only unknown ones shows nothing.
 */
export function narrowingOf(request: Request): Narrowing {
  const { searchParams } = new URL(request.url)
  const readOnly = searchParams.get('read_only') ?? request.headers.get('x-airbyte-read-only')
  const toolsets = searchParams.get('toolsets') ?? request.headers.get('x-airbyte-toolsets')
  return {
    readOnly: readOnly !== null && readOnly !== 'false' && readOnly !== '0',
    toolsets:
      toolsets
        ?.split(',')
        .map((name) => name.trim())
        .filter((name) => (TOOLSETS as readonly string[]).includes(name)) ?? null,
  }
}

/** The operations that have a tool, within the narrowing, in the registry's order. */
export function toolsWithin(operations: readonly Operation[], narrowing: Narrowing) {
  return operations.filter((operation): operation is ToolOperation => {
    if (!operation.tool) return false
    if (narrowing.readOnly && !operation.effect.readOnly) return false
    return narrowing.toolsets === null || narrowing.toolsets.includes(operation.tool.toolset)
  })
}
