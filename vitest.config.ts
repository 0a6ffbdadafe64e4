import { availableParallelism } from 'node:os'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'
import { CLIENT } from './test/support/sign-in/client.ts'
import { yamlText } from './test/support/yaml-text.ts'

/** `*.workers.test.ts` run inside workerd, the others in Node. One real PostgreSQL and one real MariaDB serve both. */
export default defineConfig({
  plugins: [yamlText()],
  test: {
    globalSetup: ['./test/support/global-setup.ts'],
    // Most tests wait for a server, a queue or an alarm: two files at once, also on two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.workers.test.ts', 'test/long/**'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        plugins: [
          cloudflareTest(({ inject }) => ({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                PG_URL: inject('pgUrl'),
                MARIADB_URL: inject('mariadbUrl'),
                LOCAL_MODE: 'on',
                ALLOW_PRIVATE_NETWORKS: 'on',
                LEASE_MS: '2000',
                OAUTH_GITLAB_CLIENT_ID: CLIENT.id,
                OAUTH_GITLAB_CLIENT_SECRET: CLIENT.secret,
                OAUTH_GITLAB_HOST: new URL(inject('signIn').gitlab).host,
                CONNECTOR_REGISTRY_URL: `${inject('registryUrl')}/files`,
                CONNECTOR_GIT_HOSTS: `github=${inject('registryUrl')}/raw/{repo}/{ref}/{path}`,
              },
            },
          })),
        ],
        test: {
          name: 'workers',
          include: ['test/**/*.workers.test.ts'],
          exclude: ['test/long/**'],
          testTimeout: 60_000,
        },
      },
    ],
  },
})
