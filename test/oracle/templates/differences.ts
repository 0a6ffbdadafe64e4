/** One way in which we differ from the reference on purpose. The golden test requires each to occur. */
export interface Difference {
  name: string
  reason: string
  covers: (mode: string, template: unknown, theirs: unknown, ours: unknown) => boolean
}

const text = (template: unknown) => (typeof template === 'string' ? template : '')
const isError = (result: unknown) => JSON.stringify(result) === '{"error":true}'

const LAYOUT =
  /\{\{ (?:lipsum|self|cycler|joiner)\b|\{% (?:macro|block|autoescape) |\| (?:xmlattr|wordwrap|filesizeformat|random|pprint|urlize)\b/

/** The tag of a Python type that JSON cannot hold. */
const otherType = (result: unknown) =>
  typeof result === 'object' && result !== null && 'other' in result ? result.other : undefined

export const differences: Difference[] = [
  {
    name: 'sets, bytes and Ellipsis stay text',
    reason:
      'No record, request or state can hold them: the reference fails when it writes them. A value such as "{1, 2}" (an array as PostgreSQL prints it) is worth more as text.',
    covers: (_mode, template, theirs, ours) =>
      ['set', 'bytes', 'ellipsis'].includes(String(otherType(theirs))) && ours === template,
  },
  {
    name: 'characters by name',
    reason:
      'An escape such as \\N{BULLET} needs the table of all Unicode names; no manifest has one.',
    covers: (_mode, template) => text(template).includes('\\N{'),
  },
  {
    name: 'complex numbers',
    reason:
      'A fractional power of a negative number is a type error here: nothing can use the result.',
    covers: (_mode, template) => text(template).includes('-7 ** 2.5'),
  },
  {
    name: 'bytes and time-of-day objects',
    reason:
      '`.encode` and `.time` have no method here, as no manifest calls them; the attribute is undefined.',
    covers: (_mode, template) => /\.(?:encode|time) \}\}/.test(text(template)),
  },
  {
    name: 'helpers for page layouts',
    reason:
      'Macros, blocks, autoescape, `lipsum`, `self`, `cycler`, `joiner` and six filters serve web pages; no manifest has them. Here they are errors that name them.',
    covers: (_mode, template, _theirs, ours) => LAYOUT.test(text(template)) && isError(ours),
  },
  {
    name: 'templates of templates are refused',
    reason:
      'There is no loader in either engine. The reference then sends the tag as text; an error that names the line is worth more.',
    covers: (_mode, template, _theirs, ours) =>
      /\{% (?:include|extends|import) /.test(text(template)) && isError(ours),
  },
  {
    name: 'keys of JSON bodies are text',
    reason: 'A key that evaluates to a number is written as text by JSON anyway.',
    covers: (mode) => mode === 'n',
  },
]
