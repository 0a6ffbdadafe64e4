/**
 * `npm run deploy`: creates the queues, buckets and secrets that the account lacks, and deploys.
 * Safe to repeat. Sign in first: `npx wrangler login`.
 *
 *   npm run deploy -- --dry-run
 *   npm run deploy -- --domain airbyte.do --domain etl.do --domain pipelines.do
 *   PUBLIC_URL=https://data.example.com npm run deploy
 *
 * How people sign in is set once, by secrets: docs/identity.md.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { unstable_readConfig } from 'wrangler'
import { QUIET_WRANGLER, ROOT, WRANGLER, WRANGLER_TOML } from './lib/bundle.ts'
import {
  type DeployOptions,
  type DeployStep,
  deployPlan,
  deployStep,
  publicUrlOf,
  REQUIRED_SECRETS,
} from './lib/deploy-plan.ts'
import { newEncryptionKeys } from './lib/encryption-keys.ts'

const { values } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    domain: { type: 'string', multiple: true, default: fromEnvironment('DOMAINS') },
    'public-url': { type: 'string', default: process.env.PUBLIC_URL },
  },
})
const config = unstable_readConfig({ config: WRANGLER_TOML })
const options: DeployOptions = { domains: values.domain, publicUrl: values['public-url'] }

if (values['dry-run']) printPlan()
else deploy()

function printPlan() {
  const secretsFile = '<file with the missing secrets>'
  console.log(
    `wrangler secret list   # generates what is missing of ${REQUIRED_SECRETS.join(', ')}`,
  )
  for (const step of deployPlan(config, { ...options, secretsFile })) {
    console.log(`wrangler ${step.args.join(' ')}`)
  }
  if (!publicUrlOf(options)) {
    console.log(
      'wrangler deploy --var PUBLIC_URL:<the workers.dev address of the first deployment>',
    )
  }
}

function deploy() {
  const directory = mkdtempSync(join(tmpdir(), 'airbyte-deploy-'))
  try {
    const secretsFile = missingSecrets(directory)
    const steps = deployPlan(config, { ...options, secretsFile })
    const output = steps.map(runStep).at(-1) ?? ''
    const url = publicUrlOf(options) ?? settlePublicUrl(output)
    console.log(
      `\nairbyte serves on ${url}\n\n  claude mcp add --transport http airbyte ${url}/mcp`,
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Writes the secrets that the account lacks into a file for wrangler; undefined when it has them all. */
function missingSecrets(directory: string): string | undefined {
  const { status, stdout, stderr } = wrangler(['secret', 'list'])
  // Only a Worker that does not exist has no secrets. Any other failure must not lead to a new key
  // over the old one: what was encrypted with that would be lost.
  if (status !== 0 && !/(10007|does not exist|not found)/i.test(stdout + stderr)) {
    fail(`✗ secrets\n${stdout}${stderr}`)
  }
  const missing = REQUIRED_SECRETS.filter((name) => !stdout.includes(`"${name}"`))
  if (missing.length === 0) return undefined
  const file = join(directory, 'secrets.json')
  const secrets = Object.fromEntries(missing.map((name) => [name, newEncryptionKeys()]))
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 })
  return file
}

/** Without a domain of its own the address is known only after the first deployment. */
function settlePublicUrl(output: string): string {
  const url = /https:\/\/\S+\.workers\.dev/.exec(output)?.[0]
  if (!url) fail('wrangler named no address. Deploy again with --public-url https://…')
  runStep(deployStep({ ...options, publicUrl: url }))
  return url
}

function runStep(step: DeployStep): string {
  const { status, stdout, stderr } = wrangler(step.args)
  const output = stdout + stderr
  if (status === 0) console.log(`✓ ${step.title}`)
  else if (step.alreadyDone?.test(output)) console.log(`✓ ${step.title} (was there)`)
  else fail(`✗ ${step.title}\n${output}`)
  return output
}

function wrangler(args: string[]) {
  return spawnSync(process.execPath, [WRANGLER, ...args, '--config', WRANGLER_TOML], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...QUIET_WRANGLER },
  })
}

function fromEnvironment(name: string): string[] {
  return process.env[name]?.split(/[\s,]+/).filter(Boolean) ?? []
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
