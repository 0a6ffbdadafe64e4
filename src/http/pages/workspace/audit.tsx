import type { AuditEntry } from '../../../operations/refs.ts'
import type { Visit } from '../../workspace/visit.ts'
import { Pill, Table, Time, workspacePage } from './parts.tsx'

export interface AuditPage {
  items: (Omit<AuditEntry, 'at'> & { at: string })[]
  cursor?: string
  /** Of members, by their id. */
  names: ReadonlyMap<string, string>
}

export function auditPage(visit: Visit, { items, cursor, names }: AuditPage): Response {
  return workspacePage(visit, {
    title: 'Audit log',
    section: 'audit',
    body: (
      <>
        <h1>Audit log</h1>
        <p>Who called what, the newest first. Arguments are never kept.</p>
        <Table label="Audit log" head={['When', 'Who', 'By', 'What', 'Outcome', 'Concerned']}>
          {items.map(({ at, subject, callerKind, clientId, face, op, targets, outcome }) => (
            <tr>
              <td>
                <Time at={at} />
              </td>
              <td>{names.get(subject) ?? subject}</td>
              <td>{[face, callerKind === 'api_key' ? clientId : undefined].join(' ').trim()}</td>
              <th scope="row">{op}</th>
              <td>
                <Pill tone={outcome === 'allowed' ? 'good' : 'bad'}>{outcome}</Pill>
              </td>
              <td>
                <code>{targets.join(' ')}</code>
              </td>
            </tr>
          ))}
        </Table>
        {cursor && (
          <p>
            <a href={`${visit.base}/audit?cursor=${encodeURIComponent(cursor)}`}>Older entries</a>
          </p>
        )}
      </>
    ),
  })
}
