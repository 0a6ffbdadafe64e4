/**
 * Writes the files that follow from others: `connectors/index.ts` from the connector folders and
 * `docs/errors.md` from the error codes. `--check` writes nothing and fails when one is stale.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ERROR_CODES } from '../src/protocol/error-codes.ts'

const ROOT = join(import.meta.dirname, '..')

/** Path, relative to the repository, of each generated file and what it should hold now. */
export function generatedFiles(): Map<string, string> {
  return new Map([
    ['connectors/index.ts', connectorIndex(folders('sources'), folders('destinations'))],
    ['docs/errors.md', errorPage()],
  ])
}

/** The generated files whose content on disk is not what it should be. */
export function staleFiles(): string[] {
  return [...generatedFiles()].flatMap(([path, text]) => (read(path) === text ? [] : [path]))
}

/** The module that lists every native connector, one import a folder. */
export function connectorIndex(sources: string[], destinations: string[]): string {
  return `${[
    '// Written by `npm run generate` from the folders beside it.',
    "import type { Destination, Source } from '../src/runtime/contract.ts'",
    ...destinations.map((name) => importOf('destinations', name, 'Destination')),
    ...sources.map((name) => importOf('sources', name, 'Source')),
    '',
    '/** Every native source. */',
    arrayOf('sources', 'Source', sources),
    '',
    '/** Every native destination. */',
    arrayOf('destinations', 'Destination', destinations),
  ].join('\n')}\n`
}

const importOf = (group: string, name: string, kind: string) =>
  `import ${identifier(name, kind)} from './${group}/${name}/index.ts'`

function arrayOf(group: string, kind: string, names: string[]): string {
  const items = names.map((name) => identifier(name, kind))
  const oneLine = `export const ${group}: ${kind}[] = [${items.join(', ')}]`
  if (oneLine.length <= 100) return oneLine
  return `export const ${group}: ${kind}[] = [\n${items.map((item) => `  ${item},\n`).join('')}]`
}

/** `dev-null`, `Destination` → `devNullDestination`; a leading digit gets an underscore. */
function identifier(name: string, kind: string): string {
  const camel = name.replaceAll(/[^a-zA-Z0-9]+(.)?/g, (_, next = '') => next.toUpperCase())
  return `${/^\d/.test(camel) ? '_' : ''}${camel}${kind}`
}

function folders(group: string): string[] {
  const directory = join(ROOT, 'connectors', group)
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => existsSync(join(directory, name, 'index.ts')))
    .sort()
}

function errorPage(): string {
  const sections = Object.entries(ERROR_CODES).map(
    ([code, { kind, status, when, next }]) =>
      `## ${code}\n\n${when}\n\n*Next:* ${next}\n\nKind \`${kind}\`, HTTP status ${status}.\n`,
  )
  return `${[
    '# Errors',
    'Every failure carries one of these codes, a message and the next step. Its kind says who acts: `config` the person who set it up, `transient` nobody (it is tried again), `system` whoever runs the product. Written by `npm run generate` from `src/protocol/error-codes.ts`.',
    ...sections,
  ].join('\n\n')}`.replaceAll(/\n{3,}/g, '\n\n')
}

function read(path: string): string | undefined {
  const file = join(ROOT, path)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

function main(args: string[]): number {
  const stale = staleFiles()
  if (args.includes('--check')) {
    if (stale.length > 0) console.error(`Stale: ${stale.join(', ')}. Run npm run generate.`)
    return stale.length > 0 ? 1 : 0
  }
  const files = generatedFiles()
  for (const path of stale) writeFileSync(join(ROOT, path), files.get(path) as string)
  console.log(stale.length > 0 ? `Wrote ${stale.join(', ')}` : 'Nothing to write')
  return 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = main(process.argv.slice(2))
}
