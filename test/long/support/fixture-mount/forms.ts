import { type ElicitRequestFormParams, inputRequired } from '@modelcontextprotocol/server'

type Fields = ElicitRequestFormParams['requestedSchema']['properties']

export function form(message: string, properties: Fields) {
  const required = Object.keys(properties)
  return inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties, required },
  })
}

const OPTIONS = ['option1', 'option2', 'option3']
const titled = (word: string) =>
  ['First', 'Second', 'Third'].map((rank, i) => ({
    const: `value${i + 1}`,
    title: `${rank} ${word}`,
  }))

/** A default in each primitive type (SEP-1034). */
export const DEFAULTS = form('Please check the defaults', {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
})

/** The five kinds of choices (SEP-1330). */
export const ENUMS = form('Please choose', {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
  titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
})
