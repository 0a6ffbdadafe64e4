import type { Child } from 'hono/jsx'
import { moment, relative } from '../../workspace/format.ts'
import type { Tone } from '../../workspace/health.ts'
import type { Visit } from '../../workspace/visit.ts'
import { page } from '../layout.tsx'

interface WorkspacePage {
  title: string
  /** Which entry of the navigation this page belongs to. */
  section: Section
  body: Child
  status?: number
}

const SECTIONS = {
  connections: { label: 'Connections', path: '' },
  resources: { label: 'Sources & destinations', path: '/resources' },
  notifications: { label: 'Notifications', path: '/notifications' },
  members: { label: 'Members', path: '/members' },
  keys: { label: 'API keys', path: '/keys' },
  audit: { label: 'Audit log', path: '/audit' },
} as const
export type Section = keyof typeof SECTIONS

/** A page of a workspace, below its navigation. */
export function workspacePage(visit: Visit, { title, section, body, status }: WorkspacePage) {
  const { headers, workspace } = visit
  return page(`${title} – ${workspace.name}`, body, {
    ...{ headers, status, script: true },
    header: <Header visit={visit} section={section} />,
  })
}

function Header({ visit, section }: { visit: Visit; section: Section }) {
  const { base, workspace, memberships, person, isLocal } = visit
  return (
    <header class="top">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <div class="bar">
        <a class="brand" href={memberships.length > 1 ? '/' : base}>
          Airbyte <span>{workspace.name}</span>
        </a>
        <nav aria-label="Workspace">
          <ul>
            {Object.entries(SECTIONS).map(([id, { label, path }]) => (
              <li>
                <a href={base + path} aria-current={id === section ? 'page' : undefined}>
                  {label}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="who">
          <span>{person.name}</span>
          {!isLocal && (
            <form method="post" action="/sign-out">
              <button class="quiet" type="submit">
                Sign out
              </button>
            </form>
          )}
        </div>
      </div>
    </header>
  )
}

/** A form that counts once, for this person. */
export function Form({
  visit,
  action,
  label,
  children,
}: {
  visit: Visit
  action: string
  label?: string
  children: Child
}) {
  return (
    <form method="post" action={action} aria-label={label}>
      <input type="hidden" name="form" value={visit.formToken} />
      {children}
    </form>
  )
}

/** A form that is one button. */
export function ActionButton({
  visit,
  action,
  label,
  primary,
  fields = {},
}: {
  visit: Visit
  action: string
  label: string
  primary?: boolean
  fields?: Record<string, string>
}) {
  return (
    <Form visit={visit} action={action}>
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button type="submit" class={primary ? 'primary' : undefined}>
        {label}
      </button>
    </Form>
  )
}

export function Pill({ tone, children }: { tone: Tone; children: Child }) {
  return <span class={`pill ${tone}`}>{children}</span>
}

export function Route({ from, to }: { from?: string; to?: string }) {
  return (
    <p class="route">
      {from} <span class="hidden">to</span>
      <span aria-hidden="true">→</span> {to}
    </p>
  )
}

/** One entry of a list of facts. */
export function Fact({ label, children }: { label: string; children?: Child }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** A time, relative; its exact value is in the title. */
export function Time({ at }: { at: string }) {
  return (
    <time datetime={at} title={moment(at)}>
      {relative(at)}
    </time>
  )
}

export interface ProblemText {
  message: string
  hint?: string
  code?: string
}

export function Problem({ title, problem, children }: ProblemBox) {
  return (
    <section class="problem" aria-label={title}>
      <h2>{title}</h2>
      <p>{problem.message}</p>
      {problem.hint && <p>{problem.hint}</p>}
      {problem.code && (
        <p>
          <code>{problem.code}</code>
        </p>
      )}
      {children}
    </section>
  )
}
interface ProblemBox {
  title: string
  problem: ProblemText
  children?: Child
}

/** A table that scrolls by itself where the screen is narrow. */
export function Table({
  label,
  head,
  children,
}: {
  label: string
  head: Child[]
  children: Child
}) {
  return (
    <section class="scroll" aria-label={label} tabindex={0}>
      <table>
        <thead>
          <tr>
            {head.map((cell) => (
              <th scope="col">{cell}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  )
}
