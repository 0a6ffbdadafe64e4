/**
 * Where the command line begins. A connector command has the standard streams to itself and needs
 * nothing of the operations, which take longest to load.
 */
export async function enter([first, ...rest]: string[]): Promise<number> {
  if (first === 'connector') {
    const { connectorCommand } = await import('./connector/index.ts')
    const { stdin, stdout, stderr, env } = process
    return connectorCommand(rest, { stdin, stdout, stderr, env })
  }
  const { main } = await import('./main.ts')
  return main(first === undefined ? [] : [first, ...rest])
}
