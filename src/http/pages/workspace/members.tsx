import { ACCESS_LEVEL_NAMES, ACCESS_LEVELS, type AccessLevel } from '../../../identity/scopes.ts'
import type { Visit } from '../../workspace/visit.ts'
import { LevelChoice } from '../level-choice.tsx'
import { ActionButton, Form, Table, Time, workspacePage } from './parts.tsx'

export interface MembersPage {
  members: { userId: string; name: string; level: AccessLevel; joinedAt?: string }[]
  invitations: { id: string; level: AccessLevel; note: string; expiresAt: string }[]
  /** A link that was just made. */
  invited?: string
}

export function membersPage(visit: Visit, view: MembersPage): Response {
  const mayChange = visit.can('workspace:admin') && !visit.isLocal
  return workspacePage(visit, {
    title: 'Members',
    section: 'members',
    body: (
      <>
        <h1>Members</h1>
        {view.invited && <Invited url={view.invited} />}
        <Table label="Members" head={['Name', 'Level', 'Since', ...(mayChange ? ['Change'] : [])]}>
          {view.members.map((member) => (
            <MemberRow visit={visit} member={member} mayChange={mayChange} />
          ))}
        </Table>
        {visit.isLocal && <p>Local mode has one user: you.</p>}
        {view.invitations.length > 0 && <Invitations visit={visit} view={view} />}
        {mayChange && <Invite visit={visit} />}
      </>
    ),
  })
}

function Invited({ url }: { url: string }) {
  return (
    <div class="done" role="status">
      <p>Send this link to one person. It works once, for seven days, and is not shown again:</p>
      <p>
        <code>{url}</code>
      </p>
    </div>
  )
}

interface MemberRowPart {
  visit: Visit
  member: MembersPage['members'][number]
  mayChange: boolean
}

function MemberRow({ visit, member, mayChange }: MemberRowPart) {
  const { userId, name, level, joinedAt } = member
  return (
    <tr>
      <th scope="row">
        {name}
        {userId === visit.person.userId && <small> (you)</small>}
      </th>
      <td>{ACCESS_LEVELS[level].title}</td>
      <td>{joinedAt && <Time at={joinedAt} />}</td>
      {mayChange && (
        <td>
          <div class="inline">
            <Form visit={visit} action={`${visit.base}/members/level`} label={`Level of ${name}`}>
              <input type="hidden" name="member" value={userId} />
              <div class="inline">
                <LevelSelect chosen={level} label={`Level of ${name}`} />
                <button type="submit">Set</button>
              </div>
            </Form>
            <ActionButton
              {...{ visit, action: `${visit.base}/members/remove`, label: 'Remove' }}
              fields={{ member: userId }}
            />
          </div>
        </td>
      )}
    </tr>
  )
}

function LevelSelect({ chosen, label }: { chosen: AccessLevel; label: string }) {
  return (
    <select name="level" aria-label={label}>
      {ACCESS_LEVEL_NAMES.map((level) => (
        <option value={level} selected={level === chosen}>
          {ACCESS_LEVELS[level].title}
        </option>
      ))}
    </select>
  )
}

function Invitations({ visit, view }: { visit: Visit; view: MembersPage }) {
  return (
    <>
      <h2>Open invitations</h2>
      <Table label="Open invitations" head={['For', 'Level', 'Ends', 'Change']}>
        {view.invitations.map(({ id, level, note, expiresAt }) => (
          <tr>
            <th scope="row">{note || 'whoever has the link'}</th>
            <td>{ACCESS_LEVELS[level].title}</td>
            <td>
              <Time at={expiresAt} />
            </td>
            <td>
              <ActionButton
                {...{ visit, action: `${visit.base}/members/withdraw`, label: 'Withdraw' }}
                fields={{ invitation: id }}
              />
            </td>
          </tr>
        ))}
      </Table>
    </>
  )
}

function Invite({ visit }: { visit: Visit }) {
  return (
    <>
      <h2>Invite somebody</h2>
      <Form visit={visit} action={`${visit.base}/members/invite`} label="Invite somebody">
        <label>
          <span>For whom</span>
          <input type="text" name="note" maxlength={100} placeholder="ann@example.com" />
        </label>
        <LevelChoice legend="Level" name="level" suggested="reader" />
        <button class="primary" type="submit">
          Make a link
        </button>
      </Form>
    </>
  )
}
