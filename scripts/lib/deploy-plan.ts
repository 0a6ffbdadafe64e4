import type { Unstable_Config } from 'wrangler'

/** One call of wrangler. */
export interface DeployStep {
  title: string
  args: string[]
  /** What wrangler says when there is nothing left to do. */
  alreadyDone?: RegExp
}

export interface DeployOptions {
  /** Custom domains, such as `airbyte.do`. The first is the public one. */
  domains: string[]
  /** Origin that OAuth metadata and links bear; default: the first domain. */
  publicUrl?: string
  /** File with the secrets that the account lacks, for wrangler to upload. */
  secretsFile?: string
}

/** Secrets that the Worker cannot do without; generated where the account has none. */
export const REQUIRED_SECRETS = ['ENCRYPTION_KEYS'] as const

/**
 * What a fresh account needs, in order; running it again changes nothing that exists.
 * Durable Objects come with the deployment itself, through the migrations in wrangler.toml.
 */
export function deployPlan(config: Unstable_Config, options: DeployOptions): DeployStep[] {
  return [
    ...queuesOf(config).map((queue) => ({
      title: `queue ${queue}`,
      args: ['queues', 'create', queue],
      alreadyDone: /already (exists|taken|in use)/i,
    })),
    ...config.r2_buckets.map(({ bucket_name }) => ({
      title: `bucket ${bucket_name}`,
      args: ['r2', 'bucket', 'create', bucket_name as string],
      alreadyDone: /already (exists|owned|in use)|own it/i,
    })),
    deployStep(options),
  ]
}

export function publicUrlOf({ publicUrl, domains }: DeployOptions): string | undefined {
  return publicUrl ?? (domains[0] && `https://${domains[0]}`)
}

export function deployStep(options: DeployOptions): DeployStep {
  const publicUrl = publicUrlOf(options)
  return {
    title: 'the Worker',
    args: [
      'deploy',
      ...options.domains.flatMap((domain) => ['--domain', domain]),
      ...(publicUrl ? ['--var', `PUBLIC_URL:${publicUrl}`] : []),
      ...(options.secretsFile ? ['--secrets-file', options.secretsFile] : []),
    ],
  }
}

function queuesOf({ queues }: Unstable_Config): string[] {
  const names = [
    ...(queues.producers ?? []).map(({ queue }) => queue),
    ...(queues.consumers ?? []).flatMap(({ queue, dead_letter_queue }) => [
      queue,
      dead_letter_queue,
    ]),
  ]
  return [...new Set(names)].filter((name) => name !== undefined)
}
