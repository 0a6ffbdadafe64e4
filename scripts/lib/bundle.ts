import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { promisify } from 'node:util'
import { unstable_readConfig } from 'wrangler'

export const ROOT = join(import.meta.dirname, '../..')

export const WRANGLER_TOML = join(ROOT, 'wrangler.toml')

const run = promisify(execFile)
const built = new Map<string, Promise<WorkerModule[]>>()

/** A file of the bundle, in the form that Miniflare takes. */
export interface WorkerModule {
  type: 'ESModule' | 'CompiledWasm' | 'Data' | 'Text'
  path: string
  contents: Uint8Array
}

/** Bundles the Worker exactly as a deployment does, once a process; the entry comes first. */
export function bundleWorker(configPath = WRANGLER_TOML): Promise<WorkerModule[]> {
  let bundle = built.get(configPath)
  if (!bundle) {
    bundle = bundleIntoMemory(configPath)
    built.set(configPath, bundle)
  }
  return bundle
}

async function bundleIntoMemory(configPath: string): Promise<WorkerModule[]> {
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-bundle-'))
  try {
    await bundleTo(directory, configPath)
    const entry = `${basename(unstable_readConfig({ config: configPath }).main ?? '', '.ts')}.js`
    const known = readdirSync(directory).filter((file) => extname(file) in MODULE_TYPES)
    return [entry, ...known.filter((file) => file !== entry)].map((file) => ({
      type: MODULE_TYPES[extname(file) as keyof typeof MODULE_TYPES],
      path: file,
      contents: readFileSync(join(directory, file)),
    }))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const MODULE_TYPES = {
  '.js': 'ESModule',
  '.mjs': 'ESModule',
  '.wasm': 'CompiledWasm',
  '.bin': 'Data',
  '.txt': 'Text',
  '.html': 'Text',
  '.sql': 'Text',
  '.yaml': 'Text',
} as const

/** `wrangler deploy --dry-run` into `directory`; resolves to what it printed, throws it when it fails. */
export async function bundleTo(directory: string, configPath = WRANGLER_TOML): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    [WRANGLER, 'deploy', '--dry-run', '--config', configPath, '--outdir', directory],
    { cwd: ROOT, env: { ...process.env, ...QUIET_WRANGLER } },
  ).catch((error: { stdout?: string; stderr?: string }) => {
    throw new Error(`The Worker does not bundle:\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  })
  return stdout
}

export const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')

/** No prompts, no metrics, no download of request metadata: wrangler works offline. */
export const QUIET_WRANGLER = {
  CI: '1',
  WRANGLER_SEND_METRICS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
  FORCE_COLOR: '0',
}
