import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkConfig } from '../../src/core/config-validation.ts'
import type { DestinationSyncMode, ErrorCode, JsonObject } from '../../src/protocol/index.ts'
import type { ConnectorContext, Destination, StreamPlan } from '../../src/runtime/contract.ts'
import type { Losses } from './canonical.ts'
import { changeLogCases } from './destination/change-log.ts'
import { childCases } from './destination/children.ts'
import { dedupCases } from './destination/dedup.ts'
import { generationCases } from './destination/generations.ts'
import { growthCases } from './destination/growth.ts'
import { loadCases } from './destination/load.ts'
import { streamCases } from './destination/streams.ts'
import { typeCases } from './destination/types.ts'
import { formatsOf, type Opened } from './loading.ts'
import { secretProblems } from './spec-rules.ts'

export interface DestinationSetup {
  config: JsonObject
  ctx(): ConnectorContext
  /** Configs that `check` must find wrong, and the codes it may give. */
  badConfigs: { title: string; config: JsonObject; codes: ErrorCode[] }[]
  dispose?(): Promise<void>
}

/** One combination of the matrix, and the destination opened for it. */
export interface DestinationCase {
  destination: Destination
  opened: () => Opened
  /** The part of a plan that the combination fixes. */
  base: Pick<StreamPlan, 'mode' | 'format' | 'normalization'>
  losses: Losses
  it: (title: string, test: () => Promise<void>) => void
}

/** A failure that is known: the test must fail, so that its repair shows and the entry goes. */
export interface KnownFailure {
  title: string
  /** In combinations whose name, such as `append, records, basic`, matches. Default: all. */
  where?: RegExp
  because: string
}

interface Variant {
  /** Names a setup where one destination has several. */
  name?: string
  losses?: Losses
  known?: KnownFailure[]
  /** Only these modes, where the others were tried in another runtime. Default: all. */
  modes?: DestinationSyncMode[]
}

/**
 * What makes a destination done: every mode it claims × every form of chunk × every normalization,
 * against the `Loader` contract.
 */
export function destinationConformance(
  destination: Destination,
  setup: () => Promise<DestinationSetup>,
  { name, losses = {}, known = [], modes }: Variant = {},
): void {
  describe(`destination ${destination.info.name}${name ? ` (${name})` : ''}`, () => {
    let live: DestinationSetup
    beforeAll(async () => {
      live = await setup()
    })
    afterAll(() => live?.dispose?.())
    const opened = () => ({ destination, config: live.config, ctx: live.ctx() })

    it('has a spec that takes the good config and marks its secrets', () => {
      const { connectionSpecification: spec } = destination.spec()
      expect(checkConfig(spec, live.config).problems).toEqual([])
      expect(secretProblems(spec)).toEqual([])
    })

    it('passes its check with a good config', async () => {
      expect(await destination.check(live.ctx(), live.config)).toEqual({ ok: true })
    })

    it('says in its check what is wrong with a bad one, without its secrets', async () => {
      for (const { title, config, codes } of live.badConfigs) {
        const result = await destination.check(live.ctx(), config)
        expect(result.ok, title).toBe(false)
        expect(codes, title).toContain(result.problem?.code)
        const secret = config.password
        if (typeof secret === 'string') expect(JSON.stringify(result)).not.toContain(secret)
      }
    })

    for (const base of matrixOf(destination, modes)) {
      const combination = `${base.mode}, ${base.format}, ${base.normalization}`
      describe(combination, () => {
        const one: DestinationCase = { destination, opened, base, losses, it: test }
        loadCases(one)
        generationCases(one)
        if (base.mode.endsWith('dedup')) dedupCases(one)
        if (base.mode === 'append_dedup') changeLogCases(one)
        if (base.normalization === 'basic') growthCases(one)
        if (base.mode === 'append') streamCases(one)
        const isPlain = base.normalization === 'basic' && base.format === 'records'
        if (destination.capabilities.children && isPlain) childCases(one)
        if (base.mode === 'append' && base.normalization === 'basic') typeCases(one)
      })

      function test(title: string, work: () => Promise<void>): void {
        const failure = known.find(
          (entry) => entry.title === title && (entry.where?.test(combination) ?? true),
        )
        if (failure) it.fails(`${title} (known: ${failure.because})`, work)
        else it(title, work)
      }
    }
  })
}

/** Deduplication needs typed columns: `raw` has one JSON column and no key. */
function matrixOf(
  destination: Destination,
  modes = destination.capabilities.modes,
): DestinationCase['base'][] {
  return modes.flatMap((mode) =>
    formatsOf(destination).flatMap((format) =>
      (mode.endsWith('dedup') ? (['basic'] as const) : (['basic', 'raw'] as const)).map(
        (normalization) => ({ mode, format, normalization }),
      ),
    ),
  )
}
