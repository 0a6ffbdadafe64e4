import type { StreamDifference } from '../operations/connectors/diff.ts'
import type { upgradeConnector } from '../operations/connectors/upgrade.ts'
import { printable } from './printable.ts'

export type UpgradePlan = Awaited<ReturnType<typeof upgradeConnector>>

/**
 * The plan of an upgrade for the person who is asked about it: `+` comes, `-` goes, `~` changes, `!`
 * needs somebody. What stays as it is has no line.
 */
export function upgradePlan(plan: UpgradePlan): string {
  const { connector, from, to, direction, breakingChanges, usedBy, credentials } = plan
  const license = from.license === to.license ? to.license : change(from.license, to.license)
  const sections: [string, string[]][] = [
    [
      'breaking',
      breakingChanges.map(({ version, message, deadline, migrationUrl }) => {
        const until = deadline ? ` (until ${deadline})` : ''
        return `! ${version}${until}: ${message}${migrationUrl ? ` ${migrationUrl}` : ''}`
      }),
    ],
    ['config', configLines(plan)],
    ['streams', streamLines(plan)],
    [
      'sources',
      usedBy.sources.map(({ name, version, problems }) =>
        problems.length > 0 ? `! ${name}: ${problems.join(', ')}` : `~ ${name}: ${version} now`,
      ),
    ],
    [
      'connections',
      usedBy.connections.flatMap(({ name, lost }) =>
        lost.length > 0 ? [`! ${name}: loses ${lost.join(', ')}`] : [],
      ),
    ],
  ]
  const head = `${connector.name}: ${change(from.version, to.version)} (${direction}), licence ${license}`
  return [
    line(head),
    ...sections
      .filter(([, lines]) => lines.length > 0)
      .flatMap(([title, lines]) => [title, ...lines.map((text) => `  ${line(text)}`)]),
    `credentials: ${credentials}`,
    `plan: ${plan.plan}`,
  ].join('\n')
}

function configLines({ spec, configMigrations }: UpgradePlan): string[] {
  const migrations =
    configMigrations > 0 ? [`~ ${configMigrations} migrations of it run at each read`] : []
  if (!spec) return migrations
  return [
    ...spec.added.map(
      ({ path, type, required, secret }) =>
        `+ ${path} (${[type, required && 'required', secret && 'secret'].filter(Boolean).join(', ')})`,
    ),
    ...spec.removed.map((path) => `- ${path}`),
    ...spec.nowRequired.map((path) => `~ ${path}: required now`),
    ...spec.nowSecret.map((path) => `~ ${path}: secret now`),
    ...spec.noLongerSecret.map((path) => `~ ${path}: no longer secret`),
    ...spec.retyped.map(retyped),
    ...migrations,
  ]
}

function streamLines({ streams }: UpgradePlan): string[] {
  const { added = [], removed = [], refused = [], changed = [], dynamic = [] } = streams
  return [
    ...added.map((name) => `+ ${name}`),
    ...removed.map((name) => `- ${name}`),
    ...refused.map(({ name, reason }) => `- ${name}: ${reason}`),
    ...changed.flatMap(changesOf),
    ...dynamic.map((name) => `~ ${name}: its streams come from the API and are not compared`),
  ]
}

function changesOf({ name, primaryKey, cursorField, schema, fields }: StreamDifference): string[] {
  const key = (of: string[][]) => of.map((path) => path.join('.')).join(', ')
  const { added = [], removed = [], retyped: types = [] } = fields ?? {}
  const all = [
    ...(primaryKey ? [`key ${change(key(primaryKey.from), key(primaryKey.to))}`] : []),
    ...(cursorField ? [`cursor ${change(cursorField.from, cursorField.to)}`] : []),
    ...added.map((field) => `+ ${field}`),
    ...removed.map((field) => `- ${field}`),
    ...types.map(retyped),
    ...(schema === 'dynamic' ? ['its fields come from the API and are not compared'] : []),
  ]
  return all.map((text) => `~ ${name}: ${text}`)
}

const retyped = ({ path, from, to }: { path: string; from: string; to: string }) =>
  `~ ${path}: ${change(from, to)}`

const change = (from: string | null, to: string | null) => `${from || 'none'} -> ${to || 'none'}`

/** Texts of vendors keep to their line. */
const line = (text: string) => printable(text.replaceAll(/\s+/g, ' '))
