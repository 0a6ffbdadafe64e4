/** Texts of a workspace's own connectors: R2 objects that never change, named by their content. */
import { AirbyteError } from '../protocol/index.ts'
import type { ObjectStore } from '../runtime/contract.ts'
import type { ConnectorPin } from './rpc.ts'

/** Everything that a connector stored. */
export const connectorPrefix = (connectorId: string) => `connectors/${connectorId}/`

const keyOf = (connectorId: string, hash: string) => `${connectorPrefix(connectorId)}${hash}`

/** SHA-256 in hex. */
export async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Returns the hash by which the text is found again. */
export async function saveText(
  store: ObjectStore,
  connectorId: string,
  text: string,
): Promise<string> {
  const hash = await hashOf(text)
  await store.put(keyOf(connectorId, hash), text)
  return hash
}

/** @throws CONNECTOR_DAMAGED if the text is gone or is not what was imported */
export async function readManifest(
  store: ObjectStore,
  { connectorId, hash, info }: ConnectorPin,
): Promise<string> {
  const object = await store.get(keyOf(connectorId, hash))
  const text = object ? await new Response(object.body).text() : null
  if (text !== null && (await hashOf(text)) === hash) return text
  const what = text === null ? 'is missing' : 'is not what was imported'
  const message = `The manifest of '${info.name}' ${info.version} ${what}.`
  throw new AirbyteError('CONNECTOR_DAMAGED', message)
}
