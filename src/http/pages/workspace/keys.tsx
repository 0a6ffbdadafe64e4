import { SCOPES } from '../../../identity/scopes.ts'
import type { Visit } from '../../workspace/visit.ts'
import { ActionButton, Form, Table, Time, workspacePage } from './parts.tsx'

export interface KeysPage {
  keys: {
    id: string
    name: string
    scopes: string[]
    createdAt: string
    expiresAt?: string
    lastUsedAt?: string
  }[]
  /** A key that was just made. */
  created?: string
}

export function keysPage(visit: Visit, { keys, created }: KeysPage): Response {
  const mayChange = visit.can('workspace:write')
  return workspacePage(visit, {
    title: 'API keys',
    section: 'keys',
    body: (
      <>
        <h1>API keys</h1>
        {created && (
          <div class="done" role="status">
            <p>Keep this key now; it is not shown again:</p>
            <p>
              <code>{created}</code>
            </p>
          </div>
        )}
        {keys.length === 0 ? (
          <p>There is no API key. Programs use them; an MCP client signs you in instead.</p>
        ) : (
          <Table label="API keys" head={['Name', 'May', 'Made', 'Last used', 'Ends', 'Change']}>
            {keys.map((key) => (
              <KeyRow visit={visit} row={key} mayChange={mayChange} />
            ))}
          </Table>
        )}
        {mayChange && <NewKey visit={visit} />}
      </>
    ),
  })
}

interface KeyRowPart {
  visit: Visit
  row: KeysPage['keys'][number]
  mayChange: boolean
}

function KeyRow({ visit, row, mayChange }: KeyRowPart) {
  const { id, name, scopes, createdAt, expiresAt, lastUsedAt } = row
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{scopes.join(', ')}</td>
      <td>
        <Time at={createdAt} />
      </td>
      <td>{lastUsedAt ? <Time at={lastUsedAt} /> : 'never'}</td>
      <td>{expiresAt ? <Time at={expiresAt} /> : 'never'}</td>
      <td>
        {mayChange && (
          <ActionButton
            {...{ visit, action: `${visit.base}/keys/revoke`, label: 'Revoke' }}
            fields={{ key: id }}
          />
        )}
      </td>
    </tr>
  )
}

function NewKey({ visit }: { visit: Visit }) {
  return (
    <>
      <h2>Make a key</h2>
      <Form visit={visit} action={`${visit.base}/keys/create`} label="Make a key">
        <label>
          <span>Name</span>
          <input type="text" name="name" required maxlength={100} />
        </label>
        <fieldset>
          <legend>What it may do</legend>
          {SCOPES.filter((scope) => visit.can(scope)).map((scope) => (
            <label class="choice">
              <input
                type="checkbox"
                name="scope"
                value={scope}
                checked={scope === 'workspace:read'}
              />
              <div>{scope}</div>
            </label>
          ))}
        </fieldset>
        <label>
          <span>Ends after so many days</span>
          <input type="number" name="days" min="1" max="3650" value="90" />
        </label>
        <button class="primary" type="submit">
          Make a key
        </button>
      </Form>
    </>
  )
}
