import { checkConfig } from '../../core/config-validation.ts'
import { connectorOf } from '../../operations/actors.ts'
import type { actorView } from '../../operations/views.ts'
import { AirbyteError, type JsonObject, type JsonValue } from '../../protocol/index.ts'
import type { ConnectorInfo, Spec } from '../../runtime/contract.ts'
import { MASK, mergeSecrets, secretPaths, updateSecrets } from '../../vault/index.ts'
import { fieldsOf } from '../config-form/fields.ts'
import { readConfig, secretsIn } from '../config-form/read.ts'
import { type ResourcePage, resourcePage } from '../pages/workspace/resource.tsx'
import { correctable } from './correctable.ts'
import { kindOf } from './resources.ts'
import type { Handler, PageParams, PostHandler } from './types.ts'
import type { Visit } from './visit.ts'

export type Actor = ReturnType<typeof actorView>
type Tested = NonNullable<ResourcePage['tested']>

interface Subject {
  kind: 'source' | 'destination'
  info: Pick<ConnectorInfo, 'name' | 'title' | 'documentationUrl'>
  spec: Spec
  /** Absent: it is to be made. */
  actor?: Actor
}

export const newResource: Handler = async (visit, params) =>
  page(visit, await connectorToUse(visit, params), { name: '' })

export const resource: Handler = async (visit, params) => {
  const subject = await existing(visit, params)
  return page(visit, subject, { name: subject.actor?.name ?? '' })
}

/** Creates it, then tests it: what the test finds is shown beside the fields. */
export const createResource: PostHandler = async (visit, params, form) => {
  const subject = await connectorToUse(visit, params)
  return save(visit, subject, form, (name, config) =>
    visit.run<Actor & { setupUrl?: string }>(`${subject.kind}s.create`, {
      ...{ name, type: subject.info.name, config },
    }),
  )
}

export const saveResource: PostHandler = async (visit, params, form) => {
  const subject = await existing(visit, params)
  return save(visit, subject, form, (name, config) =>
    visit.run<Actor & { setupUrl?: string }>(`${subject.kind}s.update`, {
      ...{ [subject.kind]: params.id, name, config },
    }),
  )
}

export const testResource: PostHandler = async (visit, params) => {
  const subject = await existing(visit, params)
  const name = subject.actor?.name ?? ''
  return page(visit, subject, { name, tested: await test(visit, subject.kind, params.id) })
}

export const deleteResource: PostHandler = async (visit, { kind, id }, form) => {
  if (form.get('confirm') !== 'yes') {
    const message = 'Nothing was deleted: the box that confirms it was not ticked.'
    throw new AirbyteError('CONFIRMATION_REQUIRED', message)
  }
  await visit.run(`${kindOf(kind)}s.delete`, { [kindOf(kind)]: id })
  return `${visit.base}/resources`
}

async function save(
  visit: Visit,
  subject: Subject,
  form: URLSearchParams,
  store: (name: string, config: JsonObject) => Promise<Actor & { setupUrl?: string }>,
): Promise<Response | string> {
  const schema = subject.spec.connectionSpecification
  const before = subject.actor?.config ?? {}
  const fields = fieldsOf(schema, before)
  const entered = readConfig(fields, form)
  for (const secret of secretsIn(fields, form)) visit.ctx.secrets.add(secret)
  const name = form.get('name')?.trim() ?? ''
  const { whole, shown } = laidOver(subject, entered)
  const again = (view: Omit<View, 'name' | 'config'>) =>
    page(visit, subject, { ...view, name, config: shown })
  if (form.has('more')) return again({})
  const problems = problemsOf(subject, whole)
  if (problems.size > 0) return again({ problems })
  try {
    const actor = await store(name, entered)
    const now = { ...subject, actor }
    if (actor.setupUrl && actor.missingSecrets.length > 0 && !subject.actor) {
      return new URL(actor.setupUrl).pathname
    }
    if (actor.missingSecrets.length > 0) return page(visit, now, { name, problems: lacking(actor) })
    const tested = visit.can('sync:run')
      ? await test(visit, subject.kind, actor.id)
      : { ok: undefined }
    return page(visit, now, { name, tested })
  } catch (error) {
    const problem = correctable(error)
    return again({ problem, problems: atField(problem) })
  }
}

/** The test of what is stored. A problem that names a field is shown there too. */
async function test(visit: Visit, kind: Subject['kind'], id: string): Promise<Tested> {
  try {
    return await visit.run<Tested>(`${kind}s.check`, { [kind]: id })
  } catch (error) {
    return { ok: false, problem: correctable(error).toJSON() }
  }
}

interface View {
  name: string
  /** What was entered; absent: what is stored. */
  config?: JsonObject
  problem?: AirbyteError
  problems?: ReadonlyMap<string, string>
  tested?: Tested
}

function page(visit: Visit, { kind, info, spec, actor }: Subject, view: View): Response {
  const { name, config = actor?.config ?? {}, problem, problems, tested } = view
  return resourcePage(visit, {
    ...{ kind, info, actor, name, problem, tested },
    fields: fieldsOf(spec.connectionSpecification, config),
    problems: problems ?? (tested?.problem ? atField(tested.problem) : new Map()),
    signsIn: spec.advanced_auth !== undefined,
  })
}

async function connectorToUse(visit: Visit, params: PageParams): Promise<Subject> {
  const kind = kindOf(params.kind)
  const found = await visit.run<Subject['info'] & { spec: Spec }>('catalog.get', {
    ...{ kind, name: params.type, spec: true },
  })
  return { kind, info: found, spec: found.spec }
}

/** With the spec of the release that it is pinned to. */
async function existing(visit: Visit, params: PageParams): Promise<Subject> {
  const kind = kindOf(params.kind)
  const actor = await visit.run<Actor>(`${kind}s.get`, { [kind]: params.id })
  const record = await visit.ctx.objects[kind](actor.id).get()
  const connector = await connectorOf(visit.ctx, kind, record)
  return { kind, info: connector.info, spec: connector.spec(), actor }
}

/** What the config would be: `whole` to be checked, `shown` to go back into the form. */
function laidOver({ spec, actor }: Subject, entered: JsonObject) {
  const schema = spec.connectionSpecification
  const visible = actor?.config ?? {}
  const secrets = Object.fromEntries(masksIn(visible, '').map((pointer) => [pointer, MASK]))
  const after = updateSecrets(schema, { visible, secrets }, entered)
  const kept = Object.entries(after.secrets).filter(([, value]) => value === MASK)
  return {
    whole: mergeSecrets(after),
    shown: mergeSecrets({ ...after, secrets: Object.fromEntries(kept) }),
  }
}

function masksIn(value: JsonValue, pointer: string): string[] {
  if (value === MASK) return [pointer]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    masksIn(inner, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  )
}

/** By field. Where one can sign in at the vendor, its secrets may come from there. */
function problemsOf({ spec }: Subject, whole: JsonObject): Map<string, string> {
  const schema = spec.connectionSpecification
  const stored = new Set(masksIn(whole, '').map((pointer) => `config${dotted(pointer)}`))
  const later = new Set(
    spec.advanced_auth ? secretPaths(schema).map((path) => `config.${path}`) : [],
  )
  const { problems } = checkConfig(schema, whole)
  return new Map(
    problems
      .filter(({ field }) => !stored.has(field))
      .filter(({ field, message }) => !(message === 'is missing' && later.has(field)))
      .map(({ field, message }) => [field, sentence(message)]),
  )
}

const dotted = (pointer: string) =>
  pointer.replaceAll(/\/(\d+)(?=\/|$)/g, '[$1]').replaceAll('/', '.')
const sentence = (message: string) => `It ${message}.`
const lacking = ({ missingSecrets }: Actor) =>
  new Map(
    missingSecrets.map((path) => [`config.${path}`, 'Enter it: it is not stored (any more).']),
  )

function atField({ field, message }: { field?: string; message: string }): Map<string, string> {
  if (field === undefined) return new Map()
  return new Map([
    [field === 'name' || field.startsWith('config') ? field : `config.${field}`, message],
  ])
}
