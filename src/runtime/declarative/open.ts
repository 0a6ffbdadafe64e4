import type { JsonObject } from '../../protocol/index.ts'
import type { ConnectorContext } from '../contract.ts'
import { jobLimitOf } from './async/limit.ts'
import type { Component } from './component.ts'
import { concurrencyOf } from './concurrency.ts'
import { type NormalizedConfig, normalizeConfig } from './config-rules.ts'
import { validateConfigRules } from './config-validations.ts'
import { type CustomComponents, CustomRegister } from './custom/register.ts'
import type { Environment } from './environment.ts'
import type { Manifest } from './manifest/load.ts'
import type { Problem } from './manifest/validate.ts'
import { callBudget } from './requester/budget.ts'
import { newRun, type RunOptions } from './run.ts'
import { NEWEST } from './versions/changes.ts'
import { languageOf } from './versions/language.ts'

export interface OpenOptions extends RunOptions {
  /** Version of the CDK that ran the manifest last; of the connector's metadata. */
  ranWith?: string
  /**
   * Classes in the place of those that the manifest names by `class_name`, the connector's own
   * before those of all; the first that has a class wins.
   */
  components?: CustomComponents[]
}

/** What all streams of a source are built with, and its config if a migration changed it. */
export type SourceEnvironment = Omit<Environment, 'stream'> & Pick<NormalizedConfig, 'migrated'>

/** How a manifest is read: in which language, and with which classes for its custom ones. */
export const readingOf = (root: Component, { ranWith, components = [] }: OpenOptions) => ({
  language: languageOf(root.get('version'), ranWith),
  custom: new CustomRegister(...components),
})

/**
 * A source under a config: migrated, transformed and validated.
 *
 * @throws VALIDATION_FAILED for a config that the manifest does not accept
 */
export function openSource(
  root: Manifest,
  ctx: ConnectorContext,
  config: JsonObject,
  options: OpenOptions = {},
): SourceEnvironment {
  const { language, custom } = readingOf(root, options)
  const normalized = normalizeConfig(root, config, { language, custom })
  validateConfigRules(root, normalized.config, custom)
  concurrencyOf(root, normalized.config)
  if (language.isNewer) {
    ctx.log(
      'warn',
      `The manifest is of version ${language.version}; the newest known is ${NEWEST}.`,
    )
  }
  if (root.unknown.length > 0) ctx.log('warn', withoutMeaning(root.unknown))
  const run = newRun(ctx, { jobLimit: jobLimitOf(root, normalized.config), ...options })
  run.budget = callBudget(root, normalized.config, run)
  return { ...normalized, ctx, run, language, custom }
}

function withoutMeaning(unknown: Problem[]): string {
  const named = unknown.slice(0, MAX_NAMED).map(({ path, message }) => `${path}: ${message}`)
  const more = unknown.length > MAX_NAMED ? `\n${unknown.length - MAX_NAMED} more` : ''
  return `The manifest has nodes without a meaning here:\n${named.join('\n')}${more}`
}

const MAX_NAMED = 5
