/**
 * `npm start`: the server on this machine for real clients, with its state kept in `.airbyte/`.
 *
 *   npm start -- --port 9000
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from './lib/bundle.ts'
import { persistentEncryptionKeys } from './lib/encryption-keys.ts'
import { startServer } from './lib/local-server.ts'
import { portTaken } from './lib/ports.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env.PORT ?? '8787' },
    directory: { type: 'string', default: join(ROOT, '.airbyte') },
  },
})
const port = Number(values.port)
if (!Number.isInteger(port) || port < 1 || port > 65535) {
  fail(`'${values.port}' is not a port. Give one from 1 to 65535: npm start -- --port 8787`)
}
if (await portTaken(port)) {
  fail(
    `Port ${port} is taken. Stop what listens there, or choose another: npm start -- --port 9000`,
  )
}

const server = await startServer({
  stateDirectory: join(values.directory, 'state'),
  port,
  vars: {
    ...fromEnvironment(),
    ENCRYPTION_KEYS: persistentEncryptionKeys(join(values.directory, 'encryption-keys')),
  },
  onLog: (line) => console.log(line),
}).catch((error: Error) => fail(error.message))

console.log(`airbyte serves on ${server.url}; state is in ${values.directory}

  claude mcp add --transport http airbyte ${server.url}/mcp

Ctrl-C stops it.`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void server.stop().then(() => process.exit()))
}

/**
 * What a deployment has as secrets or in wrangler.toml: clients to sign in at vendors with
 * (docs/oauth.md), and from where connectors are imported under which licences (docs/connectors.md).
 */
function fromEnvironment(): Record<string, string> {
  const wanted =
    /^(OAUTH_[A-Z_]+|CONNECTOR_REGISTRY_URL|CONNECTOR_GIT_HOSTS|ALLOWED_CONNECTOR_LICENSES)$/
  const all = Object.entries(process.env).filter(([name]) => wanted.test(name))
  return Object.fromEntries(all.map(([name, value]) => [name, value ?? '']))
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
