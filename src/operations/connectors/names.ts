import { AirbyteError } from '../../protocol/index.ts'
import type { OperationContext } from '../define.ts'

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

/**
 * The type name of a connector that is imported, if it may have it.
 *
 * @throws VALIDATION_FAILED, NAME_TAKEN by a built-in connector that it does not shadow, or by one
 * of the workspace's own
 */
export async function freeName(
  { registries }: OperationContext,
  name: string | undefined,
  shadow: boolean,
): Promise<string> {
  if (name === undefined) {
    const message = 'The manifest comes without metadata: give the connector a name.'
    throw new AirbyteError('VALIDATION_FAILED', message, { field: 'name' })
  }
  if (!NAME.test(name)) {
    const message = `'${name.slice(0, 100)}' is no name for a connector.`
    throw new AirbyteError('VALIDATION_FAILED', message, {
      field: 'name',
      hint: 'Use small letters, digits and hyphens.',
    })
  }
  const { builtIn, own } = registries.sources
  if (builtIn.has(name) && !shadow) {
    throw new AirbyteError('NAME_TAKEN', `There is a built-in source called '${name}'.`, {
      field: 'name',
      hint: `Give another name, for example '${name}-airbyte', or shadow: true to put it in the place of the built-in one for new sources.`,
    })
  }
  const mine = (await own()).find((connector) => connector.name === name)
  if (!mine) return name
  throw new AirbyteError('NAME_TAKEN', `The workspace already has a connector called '${name}'.`, {
    field: 'name',
    hint: `Upgrade the connector '${name}', or give this one another name.`,
  })
}
