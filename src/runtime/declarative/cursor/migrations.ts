import { isObject, type JsonObject, plainState } from '../../../protocol/index.ts'
import { type Builders, build, type Component } from '../component.ts'
import { customPart } from '../custom/part.ts'
import type { Environment } from '../environment.ts'
import { textTemplate } from '../interpolation.ts'

type Migration = (state: JsonObject) => JsonObject
interface Context {
  stream: Component
  env: Environment
}

/** A state of an older form as the stream writes it now. */
export function migrateState(stream: Component, env: Environment, state: JsonObject): JsonObject {
  return stream
    .children('state_migrations')
    .map((component) => build(MIGRATIONS, component, { stream, env }))
    .reduce((migrated, migrate) => migrate(migrated), state)
}

const MIGRATIONS: Builders<Migration, Context> = {
  CustomStateMigration(component, context) {
    const migrate = customPart('stateMigration', component, context.env.custom, context)
    return (state) => migrate(plainState(state))
  },

  /** `{<parent id>: {<cursor>: value}}` → `{states: [{partition, cursor}]}` */
  LegacyToPerPartitionStateMigration(_component, { stream, env }) {
    const text = (owner: Component, field: string) =>
      textTemplate(owner.text(field), { env, parameters: owner.parameters })()
    const cursorField = text(stream.child('incremental_sync'), 'cursor_field')
    const [router] = stream.child('retriever').oneOrMany('partition_router')
    const [parent, second] = router?.has('partition_field')
      ? [router]
      : (router?.children('parent_stream_configs') ?? [])
    if (!parent || second) return (state) => state
    const partitionField = text(parent, 'partition_field')
    return (state) => {
      const entries = Object.entries(state)
      const isLegacy =
        entries.length > 0 &&
        entries.every(([, value]) => isObject(value) && Object.keys(value).join() === cursorField)
      if ('states' in state || !isLegacy) return state
      const states = entries.map(([key, cursor]) => ({
        partition: { [partitionField]: key },
        cursor,
      }))
      return { states }
    }
  },
}
