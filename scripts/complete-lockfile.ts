/**
 * `npm run lock`: completes package-lock.json after `npm install`.
 *
 * Some packages name a platform build as an optional dependency that their registry does not have
 * (yet). `npm install` then leaves it out of the lock file, and `npm ci` refuses that file as
 * incomplete. An entry with the platform it is for satisfies `npm ci`, which skips it elsewhere.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface LockEntry {
  version?: string
  optionalDependencies?: Record<string, string>
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
}

const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const PROCESSORS = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
]
const EXACT = /^\d+\.\d+\.\d+[\w.-]*$/

const path = join(import.meta.dirname, '..', 'package-lock.json')
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, LockEntry> }
const added = complete(lock.packages)
const { '': root, ...others } = lock.packages
const sorted = Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1))
lock.packages = { '': root as LockEntry, ...Object.fromEntries(sorted) }
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`package-lock.json: ${added.length} platform packages added`)

function complete(packages: Record<string, LockEntry>): string[] {
  const missing: string[] = []
  for (const [parent, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const places = [`${parent}/node_modules/${name}`, `node_modules/${name}`]
      if (!EXACT.test(version) || places.some((place) => packages[place])) continue
      packages[`node_modules/${name}`] = platformEntry(name, version, entry.dev)
      missing.push(name)
    }
  }
  return missing
}

function platformEntry(name: string, version: string, dev: boolean | undefined): LockEntry {
  const parts = name.slice(name.indexOf('/') + 1).split('-')
  const os = SYSTEMS.filter((system) => parts.includes(system)).slice(0, 1)
  const cpu = PROCESSORS.filter((processor) => parts.includes(processor)).slice(0, 1)
  const musl = parts.some((part) => part.includes('musl'))
  return {
    version,
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(dev ? { dev } : {}),
    ...(os[0] === 'linux' ? { libc: [musl ? 'musl' : 'glibc'] } : {}),
    optional: true,
    ...(os.length > 0 ? { os } : {}),
  }
}
