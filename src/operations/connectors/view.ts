import type { ManifestReport } from '../../runtime/declarative/index.ts'
import type { ConnectorRelease, WorkspaceConnector } from '../tenant.ts'
import { iso } from '../views.ts'

export function connectorView({ id, name, kind, shadows, release, ...at }: WorkspaceConnector) {
  return {
    ...{ id, name, kind, shadows },
    ...releaseView(release),
    createdAt: iso(at.createdAt),
    updatedAt: iso(at.updatedAt),
  }
}

export function releaseView(release: ConnectorRelease) {
  const { pin, license, origin, bytes, components, importedAt, importedBy } = release
  const { title, version, definitionId, evidence, documentationUrl } = pin.info
  return {
    ...{ title, version, definitionId, license, evidence, documentationUrl },
    ...{ origin, contentHash: pin.hash, bytes, componentsHash: components },
    ...{ importedAt: iso(importedAt), importedBy },
  }
}

/** Which of its streams run here, and why the others do not. */
export function streamsView({ language, streams, dynamicStreams }: ManifestReport) {
  return {
    language,
    runs: streams.flatMap(({ name, refused }) => (refused === undefined ? [name] : [])),
    refused: streams.flatMap(({ name, refused }) =>
      refused === undefined ? [] : [{ name, reason: refused.slice(0, 300) }],
    ),
    dynamic: dynamicStreams,
  }
}
