import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unstable_readConfig } from 'wrangler'
import { ROOT, WRANGLER_TOML } from '../../scripts/lib/bundle.ts'

const { DOMAINS: _, PUBLIC_URL: __, ...env } = process.env

const dryRun = (...args: string[]) =>
  execFileSync(process.execPath, [join(ROOT, 'scripts/deploy.ts'), '--dry-run', ...args], {
    encoding: 'utf8',
    env: env as NodeJS.ProcessEnv,
  })

describe('npm run deploy -- --dry-run', () => {
  it('creates every queue and bucket that wrangler.toml names', () => {
    const toml = readFileSync(WRANGLER_TOML, 'utf8')
    const named = [...toml.matchAll(/^(?:queue|dead_letter_queue|bucket_name) = "(.+)"$/gm)]
    const plan = dryRun()
    expect(named.length).toBeGreaterThan(10)
    for (const [, name] of named) expect(plan).toMatch(new RegExp(` create ${name}$`, 'm'))
  })

  it('covers every kind of binding that wrangler.toml has', () => {
    const { durable_objects, queues, r2_buckets, migrations, ...rest } = unstable_readConfig({
      config: WRANGLER_TOML,
    })
    const migrated = migrations.flatMap(({ new_sqlite_classes = [] }) => new_sqlite_classes)
    const bound = durable_objects.bindings.map(
      ({ class_name }: { class_name: string }) => class_name,
    )
    expect(migrated).toEqual(bound)
    expect(queues.producers?.length).toBeGreaterThan(0)
    expect(r2_buckets.length).toBeGreaterThan(0)
    expect(rest.kv_namespaces).toEqual([])
    expect(rest.d1_databases).toEqual([])
  })

  it('takes the first domain for the public address', () => {
    const plan = dryRun('--domain', 'airbyte.do', '--domain', 'etl.do')
    expect(plan).toContain('--domain airbyte.do --domain etl.do')
    expect(plan).toContain('PUBLIC_URL:https://airbyte.do')
  })

  it('settles the address after the first deployment when there is no domain', () => {
    expect(dryRun()).toContain('PUBLIC_URL:<the workers.dev address')
  })
})
