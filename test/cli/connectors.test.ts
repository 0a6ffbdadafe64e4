import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { type RunningServer, startServer } from '../support/dev-server.ts'
import { itemsManifest } from '../support/items-manifest.ts'

let server: RunningServer
let home: string
const answers: boolean[] = []

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'airbyte-connectors-'))
  server = await startServer({
    stateDirectory: join(home, 'state'),
    vars: { CONNECTOR_REGISTRY_URL: `${inject('registryUrl')}/files` },
  })
}, 60_000)
afterAll(async () => {
  await server?.stop()
  rmSync(home, { recursive: true, force: true })
})

const airbyte = (...argv: string[]) =>
  runCommand(
    {
      env: { HOME: home, AIRBYTE_URL: server.url },
      confirm: () => answers.shift() ?? false,
    },
    argv,
  )

it('imports a connector by name, shows the plan of an upgrade, asks, and does it', async () => {
  const made = await airbyte('connectors', 'import', 'source-items@1.0.0')
  expect(made).toMatchObject({ code: 0, err: '' })
  expect(made.out).toMatch(/license\s+MIT/)
  expect((await airbyte('connectors', 'list')).out).toMatch(/items/)
  const shown = await airbyte('connectors', 'upgrade', 'items')
  expect(shown).toMatchObject({
    ...{ code: 1, asked: expect.stringContaining('2.0.0'), err: expect.stringContaining('--yes') },
  })
  expect(shown.out).toMatch(
    /^items: 1\.0\.0 -> 2\.0\.0 \(upgrade\), licence MIT\nbreaking\n {2}! 2/,
  )
  expect(shown.out).toContain('Items have a size')
  expect(shown.out).not.toMatch(/[{}[\]]/)
  answers.push(true)
  expect(await airbyte('connectors', 'upgrade', 'items')).toMatchObject({
    ...{ code: 0, out: expect.stringContaining('items is at 2.0.0') },
  })
  expect((await airbyte('connectors', 'remove', 'items')).code).toBe(0)
})

it('imports a manifest from a file with the metadata beside it', async () => {
  const folder = join(home, 'source-shop')
  mkdirSync(folder)
  const file = join(folder, 'manifest.yaml')
  writeFileSync(file, itemsManifest(inject('registryUrl')))
  const alone = ['connectors', 'import', '--file', file, '--name', 'shop']
  expect(await airbyte(...alone)).toMatchObject({
    ...{ code: 1, err: expect.stringContaining('licence') },
  })
  const data = {
    ...{ name: 'Shop', dockerRepository: 'acme/source-shop', dockerImageTag: '4.5.6' },
    ...{ definitionId: '3f2b1c40-0000-4000-8000-00000000aa02', license: 'Apache-2.0' },
  }
  writeFileSync(join(folder, 'metadata.yaml'), JSON.stringify({ data }))
  const made = await airbyte('connectors', 'import', '--file', file, '--json')
  expect(JSON.parse(made.out)).toMatchObject({
    ...{ name: 'shop', version: '4.5.6', license: 'Apache-2.0', origin: { from: 'text' } },
  })
  expect(await airbyte('connectors', 'import', '--file', join(home, 'none.yaml'))).toMatchObject({
    ...{ code: 2, err: expect.stringContaining('none.yaml') },
  })
  const source = ['sources', 'create', 's', 'shop', '--config.api_key', 'k', '--json']
  expect(JSON.parse((await airbyte(...source)).out)).toMatchObject({ type: 'shop' })
})
