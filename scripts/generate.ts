/**
 * Writes the files that follow from others: `connectors/index.ts` from the connector folders,
 * `docs/errors.md` from the error codes, and in `docs/declarative.md` the table of the language's
 * changes. `--check` writes nothing and fails when one is stale.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ERROR_CODES } from '../src/protocol/error-codes.ts'
import type { ConnectorInfo } from '../src/runtime/contract.ts'
import { readMetadata } from '../src/runtime/declarative/metadata.ts'
import { CHANGES, type Change } from '../src/runtime/declarative/versions/changes.ts'

const ROOT = join(import.meta.dirname, '..')

/** Path, relative to the repository, of each generated file and what it should hold now. */
export function generatedFiles(): Map<string, string> {
  return new Map([
    [
      'connectors/index.ts',
      connectorIndex(folders('sources'), folders('destinations'), declarativeSources()),
    ],
    ['docs/errors.md', errorPage()],
    ['docs/declarative.md', declarativePage()],
  ])
}

/** The generated files whose content on disk is not what it should be. */
export function staleFiles(): string[] {
  return [...generatedFiles()].flatMap(([path, text]) => (read(path) === text ? [] : [path]))
}

/** The module that lists every connector of this repository, one import a folder. */
export function connectorIndex(
  sources: string[],
  destinations: string[],
  declarative: DeclarativeConnector[] = [],
): string {
  const manifests = new Map(declarative.map((connector) => [connector.info.name, connector]))
  return `${[
    '// Written by `npm run generate` from the folders beside it.',
    "import type { Destination, Source } from '../src/runtime/contract.ts'",
    ...(declarative.length > 0
      ? ["import { manifestSource } from '../src/runtime/declarative/index.ts'"]
      : []),
    ...destinations.map((name) => importOf('destinations', name, 'Destination')),
    ...[...sources, ...manifests.keys()].sort().flatMap((name) => {
      const manifest = manifests.get(name)
      return manifest ? importsOf(manifest) : [importOf('sources', name, 'Source')]
    }),
    '',
    '/** Every source. A manifest is parsed when it is first used. */',
    arrayOf('sources', 'Source', [
      ...sources.map((name) => identifier(name, 'Source')),
      ...declarative.map(manifestEntry),
    ]),
    '',
    '/** Every destination. */',
    arrayOf(
      'destinations',
      'Destination',
      destinations.map((name) => identifier(name, 'Destination')),
    ),
  ].join('\n')}\n`
}

const importOf = (group: string, name: string, kind: string) =>
  `import ${identifier(name, kind)} from './${group}/${name}/index.ts'`

const importOfText = (name: string, file: string) =>
  `import ${identifier(name, file)} from './sources/${name}/${file.toLowerCase()}.yaml'`

/** A connector that is a manifest. */
interface DeclarativeConnector {
  info: ConnectorInfo
  /** Its folder has classes of its own, in `components.ts`. */
  hasClasses?: boolean
}

/** In the order that the linter asks for. */
function importsOf({ info: { name }, hasClasses }: DeclarativeConnector): string[] {
  const texts = ['Manifest', 'Metadata'].map((file) => importOfText(name, file))
  if (!hasClasses) return texts
  const classes = `import { components as ${identifier(name, 'Components')} } from './sources/${name}/components.ts'`
  return [classes, ...texts]
}

function manifestEntry({ info, hasClasses }: DeclarativeConnector): string {
  const fields = Object.entries(info).map(([key, value]) => `      ${key}: ${literal(value)},\n`)
  const [manifest, metadata] = ['Manifest', 'Metadata'].map((file) => identifier(info.name, file))
  const classes = hasClasses ? `    ${identifier(info.name, 'Components')},\n` : ''
  return `manifestSource(\n    ${manifest},\n    {\n${fields.join('')}    },\n    ${metadata},\n${classes}  )`
}

/** As Biome writes it: single quotes, unless the text holds one. */
const literal = (text: string) => (/['\\]/.test(text) ? JSON.stringify(text) : `'${text}'`)

function arrayOf(group: string, kind: string, items: string[]): string {
  const oneLine = `export const ${group}: ${kind}[] = [${items.join(', ')}]`
  if (oneLine.length <= 100 && !oneLine.includes('\n')) return oneLine
  return `export const ${group}: ${kind}[] = [\n${items.map((item) => `  ${item},\n`).join('')}]`
}

/** `dev-null`, `Destination` → `devNullDestination`; a leading digit gets an underscore. */
function identifier(name: string, kind: string): string {
  const camel = name.replaceAll(/[^a-zA-Z0-9]+(.)?/g, (_, next = '') => next.toUpperCase())
  return `${/^\d/.test(camel) ? '_' : ''}${camel}${kind}`
}

const folders = (group: string) => foldersWith(group, 'index.ts')

/** Connectors that are a manifest and its metadata, with what the catalog says of them. */
function declarativeSources(): DeclarativeConnector[] {
  return foldersWith('sources', 'manifest.yaml').map((name) => {
    const folder = join(ROOT, 'connectors/sources', name)
    const text = readFileSync(join(folder, 'metadata.yaml'), 'utf8')
    const hasClasses = existsSync(join(folder, 'components.ts'))
    return { info: readMetadata(text, name).info, hasClasses }
  })
}

function foldersWith(group: string, file: string): string[] {
  const directory = join(ROOT, 'connectors', group)
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => existsSync(join(directory, name, file)))
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

const TABLE = /(<!-- The table [^\n]*-->\n).*?(<!-- \/table -->)/s

function declarativePage(): string {
  const rows = Object.values(CHANGES).map(({ since, until, was, is, here, because }: Change) => {
    const when = since ? `${since} – ${until}` : `– ${until}`
    return `| ${when} | ${was} | ${is} | ${because ? `*${here}*: ${because}` : `*${here}*`} |`
  })
  const table = ['| versions | was | is | here |', '|---|---|---|---|', ...rows].join('\n')
  const page = read('docs/declarative.md') ?? ''
  return page.replace(TABLE, (_, begin, end) => `${begin}${table}\n${end}`)
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
