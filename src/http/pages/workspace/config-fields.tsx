import type { Child } from 'hono/jsx'
import type { JsonValue } from '../../../protocol/index.ts'
import type {
  ConfigField,
  GroupField,
  InputField,
  RowsField,
  UnionField,
} from '../../config-form/fields.ts'
import { forgetName, rowCountName } from '../../config-form/read.ts'
import { HelpText } from '../help-text.tsx'

/** What is wrong, by path of the field: `config.credentials.token`. */
export type FieldProblems = ReadonlyMap<string, string>

interface Part<F> {
  field: F
  problems: FieldProblems
}

/** The fields of a config. Of a union the variant that is chosen shows its own, without a script. */
export function ConfigFields({
  fields,
  problems,
}: {
  fields: readonly ConfigField[]
  problems: FieldProblems
}) {
  return (
    <>
      {fields.map((field) => {
        switch (field.kind) {
          case 'group':
            return <Group field={field} problems={problems} />
          case 'union':
            return <Union field={field} problems={problems} />
          case 'rows':
            return <Rows field={field} problems={problems} />
          case 'switch':
            return <Switch field={field} problems={problems} />
          case 'flags':
            return <Flags field={field} problems={problems} />
          default:
            return <Labelled field={field} problems={problems} />
        }
      })}
    </>
  )
}

function Group({ field, problems }: Part<GroupField>) {
  return (
    <FieldSet field={field} problems={problems}>
      <ConfigFields fields={field.fields} problems={problems} />
    </FieldSet>
  )
}

function FieldSet({
  field,
  problems,
  children,
}: Part<Pick<ConfigField, 'name' | 'path' | 'title' | 'help' | 'required'>> & { children: Child }) {
  return (
    <fieldset id={field.name} tabindex={-1}>
      <legend>
        <Title field={field} />
      </legend>
      <Notes field={field} problems={problems} />
      {children}
    </fieldset>
  )
}

function Union({ field, problems }: Part<UnionField>) {
  const { name, variants, chosen, required } = field
  const [only] = variants
  // A choice between nothing and nothing is no question.
  if (!required && only && variants.length === 1 && only.fields.length === 0) {
    return <input type="hidden" name={name} value={chosen} />
  }
  if (required && only && variants.length === 1) {
    return (
      <FieldSet field={field} problems={problems}>
        <input type="hidden" name={name} value={only.id} />
        <ConfigFields fields={only.fields} problems={problems} />
      </FieldSet>
    )
  }
  return (
    <FieldSet field={field} problems={problems}>
      {!required && (
        <label class="choice">
          <input type="radio" name={name} value="" checked={chosen === ''} />
          <div>Not set</div>
        </label>
      )}
      {variants.map(({ id, title, help, fields }) => (
        <div class="variant">
          <label class="choice">
            <input type="radio" name={name} value={id} checked={chosen === id} />
            <div>
              {title}
              {help && (
                <div class="help">
                  <HelpText text={help} />
                </div>
              )}
            </div>
          </label>
          {fields.length > 0 && (
            <div class="inside">
              <ConfigFields fields={fields} problems={chosen === id ? problems : NONE} />
            </div>
          )}
        </div>
      ))}
    </FieldSet>
  )
}
const NONE: FieldProblems = new Map()

/** The rows that there are, and an empty one. */
function Rows({ field, problems }: Part<RowsField>) {
  const shown = [...field.rows, undefined]
  return (
    <FieldSet field={field} problems={problems}>
      <input type="hidden" name={rowCountName(field.name)} value={String(shown.length)} />
      {shown.map((value, index) => (
        <fieldset>
          <legend>
            {field.title} {index + 1}
          </legend>
          <ConfigFields fields={field.row(index, value)} problems={problems} />
        </fieldset>
      ))}
      <button type="submit" name="more" value={field.path} formnovalidate>
        One more
      </button>
    </FieldSet>
  )
}

function Switch({ field, problems }: Part<InputField>) {
  const { name, value } = field
  return (
    <div class="field">
      <label class="choice">
        <input id={name} type="checkbox" name={name} value="yes" checked={value === true} />
        <div>
          <Title field={{ ...field, required: true }} />
        </div>
      </label>
      <Notes field={field} problems={problems} />
    </div>
  )
}

function Flags({ field, problems }: Part<InputField>) {
  const chosen = Array.isArray(field.value) ? field.value : []
  return (
    <FieldSet field={field} problems={problems}>
      {field.options.map((option) => (
        <label class="choice">
          <input
            {...{ type: 'checkbox', name: field.name, value: String(option) }}
            checked={chosen.includes(option)}
          />
          <div>{String(option)}</div>
        </label>
      ))}
    </FieldSet>
  )
}

function Labelled({ field, problems }: Part<InputField>) {
  const { name, kind, secret, stored, required, examples } = field
  const hint =
    kind === 'list'
      ? 'One in each line.'
      : kind === 'json'
        ? 'As JSON.'
        : examples.length > 0
          ? `Such as ${examples.slice(0, 2).join(' or ')}`
          : undefined
  return (
    <div class="field">
      <label for={name}>
        <Title field={field} />
      </label>
      <Input field={field} isWrong={problemOf(field, problems) !== undefined} />
      <Notes field={field} problems={problems} hint={hint} />
      {secret && stored && !required && (
        <label class="choice">
          <input type="checkbox" name={forgetName(name)} value="yes" />
          <div>Forget the one that is stored</div>
        </label>
      )}
    </div>
  )
}

function Input({ field, isWrong }: { field: InputField; isWrong: boolean }) {
  const { name, kind, secret, stored, multiline, required, isFirm, value } = field
  const common = {
    ...{ id: name, name, 'aria-describedby': `${name}-notes` },
    required: isFirm && !(secret && stored),
    'aria-required': required ? 'true' : undefined,
    'aria-invalid': isWrong ? 'true' : undefined,
  }
  if (kind === 'choice') {
    return (
      <select {...common}>
        {!(required && value !== undefined) && <option value="">Not set</option>}
        {field.options.map((option) => (
          <option value={String(option)} selected={option === value}>
            {String(option)}
          </option>
        ))}
      </select>
    )
  }
  const placeholder = secret && stored ? 'Stored; leave empty to keep it' : undefined
  if (secret) {
    return multiline ? (
      <textarea {...common} placeholder={placeholder} autocomplete="off" spellcheck={false} />
    ) : (
      <input {...common} type="password" placeholder={placeholder} autocomplete="new-password" />
    )
  }
  if (multiline || kind === 'list' || kind === 'json') {
    return (
      <textarea {...common} class={kind === 'list' ? 'short' : undefined} spellcheck={false}>
        {textOf(value, kind)}
      </textarea>
    )
  }
  return (
    <input
      {...{ ...common, type: kind === 'date' ? 'date' : 'text', value: textOf(value, kind) }}
      inputmode={kind === 'number' ? 'decimal' : undefined}
      autocomplete="off"
      spellcheck={false}
    />
  )
}

function textOf(value: JsonValue | undefined, kind: InputField['kind']): string {
  if (value === undefined || value === null) return ''
  if (kind === 'list' && Array.isArray(value)) return value.map(String).join('\n')
  return typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)
}

function Title({ field: { title, required } }: { field: { title: string; required: boolean } }) {
  return (
    <>
      {title}
      {!required && <small> (optional)</small>}
    </>
  )
}

type Noted = Pick<ConfigField, 'name' | 'path' | 'help'> & { kind?: string }

/** What is wrong and what the spec says of a field. */
function Notes({ field, problems, hint }: Part<Noted> & { hint?: string }) {
  const { name, help } = field
  const problem = problemOf(field, problems)
  return (
    <div id={`${name}-notes`}>
      {problem && <p class="wrong">{problem}</p>}
      {(help || hint) && (
        <p class="help">
          {help && <HelpText text={help} />} {hint}
        </p>
      )}
    </div>
  )
}

/** That of an element of a list is shown at the list. */
function problemOf({ path, kind }: Noted, problems: FieldProblems): string | undefined {
  const own = problems.get(path)
  if (own !== undefined || kind === 'rows') return own
  return [...problems].find(([other]) => other.startsWith(`${path}[`))?.[1]
}
