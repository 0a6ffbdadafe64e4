/** `connectors import` and `connectors upgrade`, whose manifests may lie in a file. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { InputOf, OutputOf } from '../sdk/types.ts'
import type { ExitCode } from './main.ts'
import { UsageError } from './options.ts'
import { render } from './render.ts'
import type { Command } from './special.ts'
import { type UpgradePlan, upgradePlan } from './upgrade-plan.ts'

type Texts = Pick<InputOf<'connectors.import'>, 'manifest' | 'metadata' | 'components'>

export const FILE = { file: { type: 'string', short: 'f' } } as const

/** `connectors import source-pokeapi`, or `connectors import --file manifest.yaml --name mine`. */
export async function importCommand({ airbyte, input, flags, io }: Command): Promise<ExitCode> {
  const given = { ...input, ...textsOf(flags.file) } as InputOf<'connectors.import'>
  const made = await airbyte.connectors.import(given)
  io.out(`${flags.json ? JSON.stringify(made, null, 2) : render(made)}\n`)
  return 0
}

/** `connectors upgrade <connector>`: shows the plan, asks, does it. */
export async function upgradeCommand({ airbyte, input, flags, io }: Command): Promise<ExitCode> {
  const { connector, plan: agreed, ...rest } = input as InputOf<'connectors.upgrade'>
  const target = { ...rest, ...textsOf(flags.file) }
  const show = (answer: OutputOf<'connectors.upgrade'>) =>
    io.out(
      `${flags.json ? JSON.stringify(answer, null, 2) : upgradePlan(answer as unknown as UpgradePlan)}\n`,
    )
  const shown = await airbyte.connectors.upgrade(connector, { ...target, plan: agreed })
  show(shown)
  if (shown.applied || flags.json) return 0
  if (!flags.yes && !(await io.confirm(`Change to ${shown.to.version}?`))) {
    io.err('Nothing was changed. Use --yes, or --plan with the plan that you read.\n')
    return 1
  }
  const done = await airbyte.connectors.upgrade(connector, { ...target, plan: shown.plan })
  io.out(`${connector} is at ${done.to.version}.\n`)
  return 0
}

/** A manifest with the files of a connector that lie beside it. */
function textsOf(file: unknown): Texts {
  if (typeof file !== 'string') return {}
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      throw new UsageError(`${path} cannot be read.`)
    }
  }
  const beside = (name: string) => {
    const path = join(dirname(file), name)
    return /^manifest\.ya?ml$/.test(basename(file)) && existsSync(path) ? read(path) : undefined
  }
  return {
    manifest: read(file),
    metadata: beside('metadata.yaml'),
    components: beside('components.py'),
  }
}
