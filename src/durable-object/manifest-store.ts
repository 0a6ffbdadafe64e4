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

/** A text as it was stored; null where there is none. */
export async function readText(
  store: ObjectStore,
  connectorId: string,
  hash: string,
): Promise<string | null> {
  const object = await store.get(keyOf(connectorId, hash))
  const text = object && (await new Response(object.body).text())
  return text !== null && (await hashOf(text)) === hash ? text : null
}

/** @throws CONNECTOR_DAMAGED if the text is gone or is not what was imported */
export async function readManifest(
  store: ObjectStore,
  { connectorId, hash, info }: ConnectorPin,
): Promise<string> {
  const text = await readText(store, connectorId, hash)
  if (text !== null) return text
  const message = `The manifest of '${info.name}' ${info.version} is missing or was changed.`
  throw new AirbyteError('CONNECTOR_DAMAGED', message)
}
