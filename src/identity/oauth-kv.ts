import type { KeyPage, StoredValue } from './expiring-store.ts'

/** What the adapter asks of a shard: `OAuthStoreDO` by RPC, or the object itself from within. */
export interface OAuthShard {
  get(key: string): StoredValue | null | Promise<StoredValue | null>
  put(
    key: string,
    entry: { value: string; metadata?: unknown; expiration?: number },
  ): void | Promise<void>
  delete(key: string): void | Promise<void>
  list(options: { prefix: string; limit: number; cursor?: string }): KeyPage | Promise<KeyPage>
}

export type OAuthEnv = Env & { OAUTH_KV: KVNamespace }

/** `env` with the `OAUTH_KV` that the OAuth library expects. */
export function oauthEnv(env: Env, here?: { name: string; shard: OAuthShard }): OAuthEnv {
  return Object.assign(Object.create(env) as Env, { OAUTH_KV: oauthKv(env, here) })
}

/**
 * The part of `KVNamespace` that @cloudflare/workers-oauth-provider uses, over `OAuthStoreDO`
 * shards. `here`: the shard that the caller is, which is then used without an RPC.
 */
export function oauthKv(env: Env, here?: { name: string; shard: OAuthShard }): KVNamespace {
  const shardOf = (key: string): OAuthShard => {
    const name = shardName(key)
    return name === here?.name ? here.shard : env.OAUTH_STORE.getByName(name)
  }
  const adapter = {
    async get(key: string, options?: string | { type?: string }) {
      return decode(await shardOf(key).get(key), options)
    },
    async getWithMetadata(key: string, options?: string | { type?: string }) {
      const stored = await shardOf(key).get(key)
      const metadata = stored?.metadata ?? null
      return { value: decode(stored, options), metadata, cacheStatus: null }
    },
    async put(key: string, value: string, options: KVNamespacePutOptions = {}) {
      await shardOf(key).put(key, {
        value,
        metadata: options.metadata,
        expiration: expiry(options),
      })
    },
    async delete(key: string) {
      await shardOf(key).delete(key)
    },
    async list(options: KVNamespaceListOptions = {}) {
      const prefix = options.prefix ?? ''
      const limit = Math.min(options.limit ?? 1000, 1000)
      const cursor = options.cursor ?? undefined
      const page = await shardOf(prefix).list({ prefix, limit, cursor })
      return { ...page, list_complete: page.cursor === undefined, cacheStatus: null }
    },
  }
  return adapter as unknown as KVNamespace
}

/**
 * The object that holds a key: a user's grants and tokens together, each client alone,
 * consent pages in 256 buckets.
 * @throws TypeError for a prefix that spans shards: there is no listing of all users or clients.
 */
export function shardName(key: string): string {
  const [kind, id, ...rest] = key.split(':')
  if ((kind === 'grant' || kind === 'token') && id && rest.length > 0) return `user:${id}`
  if (kind === 'client' && id) return key
  if (id) return `${kind}:${id.slice(0, 2)}`
  throw new TypeError(`no single shard holds '${key}'`)
}

function decode(stored: StoredValue | null, options?: string | { type?: string }): unknown {
  if (!stored) return null
  const type = typeof options === 'string' ? options : options?.type
  return type === 'json' ? JSON.parse(stored.value) : stored.value
}

function expiry(options: KVNamespacePutOptions): number | undefined {
  if (options.expirationTtl !== undefined)
    return Math.floor(Date.now() / 1000) + options.expirationTtl
  return options.expiration
}
