import type { ErrorRecord } from '../../protocol/index.ts'
import { choiceName, inputName, type SecretItem } from '../setup-form.ts'
import { CLIENT_FIELDS, type Vendor } from '../vendor-sign-in/vendor.ts'
import { HelpText } from './help-text.tsx'
import { page } from './layout.tsx'

export interface SetupPage {
  setupId: string
  entity: 'source' | 'destination'
  name: string
  connectorTitle: string
  /** Host or the like, so that the person sees where the secret will be used. */
  target?: string
  items: SecretItem[]
  token: string
  problem?: ErrorRecord
  /** Where the person can sign in instead. */
  vendor?: Pick<Vendor, 'host' | 'redirectUri' | 'client'>
}

/** Asks for the secrets of a source or destination. Stored values are never shown. */
export function setupPage(setup: SetupPage, headers: Headers): Response {
  const { setupId, entity, name, connectorTitle, target, items, token, problem, vendor } = setup
  const form = (
    <form method="post" autocomplete="off" action={`/setup/${setupId}`}>
      <input type="hidden" name="token" value={token} />
      <Items items={items} />
      <p>
        <button class={vendor?.client ? undefined : 'primary'} type="submit">
          Save and test
        </button>
      </p>
    </form>
  )
  const signIn = vendor && <VendorForm {...{ setupId, connectorTitle, token, vendor }} />
  return page(
    `Credentials for ${name}`,
    <>
      <h1>Credentials for {name}</h1>
      <p>
        {connectorTitle} {entity}
        {target && (
          <>
            {' '}
            at <code>{target}</code>
          </>
        )}
        . What you enter is encrypted on the server and never shown again, here or in a chat.
      </p>
      {problem && <Problem problem={problem} />}
      {vendor?.client ? (
        <>
          {signIn}
          {items.length > 0 && <h2>Or enter the credentials</h2>}
          {items.length > 0 && form}
        </>
      ) : (
        <>
          {form}
          {vendor && (
            <details open={items.length === 0}>
              <summary>Or sign in at {vendor.host}, with an OAuth client of your own</summary>
              {signIn}
            </details>
          )}
        </>
      )}
    </>,
    { headers, status: problem ? 422 : 200 },
  )
}

function VendorForm({
  setupId,
  connectorTitle,
  token,
  vendor: { host, redirectUri, client },
}: Pick<SetupPage, 'setupId' | 'connectorTitle' | 'token'> & {
  vendor: NonNullable<SetupPage['vendor']>
}) {
  return (
    <form method="post" autocomplete="off" action={`/setup/${setupId}/sign-in`}>
      <input type="hidden" name="token" value={token} />
      {!client && (
        <>
          <p>
            This takes an OAuth client that you register at {connectorTitle}, with exactly this
            redirect URI: <code>{redirectUri}</code>
          </p>
          <label for={CLIENT_FIELDS.id}>
            <span>Client ID</span>
            <input id={CLIENT_FIELDS.id} type="text" name={CLIENT_FIELDS.id} required />
          </label>
          <label for={CLIENT_FIELDS.secret}>
            <span>Client secret</span>
            <input
              id={CLIENT_FIELDS.secret}
              type="password"
              name={CLIENT_FIELDS.secret}
              autocomplete="new-password"
              required
            />
          </label>
        </>
      )}
      <p>
        <button class="primary" type="submit">
          Continue at {host}
        </button>
      </p>
    </form>
  )
}

function Items({ items, variant }: { items: SecretItem[]; variant?: string }) {
  return (
    <>
      {items.map((item) => {
        if (item.kind === 'choice') return <Choice item={item} />
        const name = inputName(item.path, variant)
        // A field of a variant that was not chosen must not hold up the form.
        const required = item.required && variant === undefined
        return (
          <label for={name}>
            <span>{item.title}</span>
            {!item.isSecret ? (
              <input id={name} type="text" name={name} required={required} autocomplete="off" />
            ) : item.multiline ? (
              <textarea
                id={name}
                name={name}
                required={required}
                autocomplete="off"
                spellcheck={false}
              />
            ) : (
              <input
                id={name}
                type="password"
                name={name}
                required={required}
                autocomplete="new-password"
              />
            )}
            {item.help && (
              <div class="help">
                <HelpText text={item.help} />
              </div>
            )}
          </label>
        )
      })}
    </>
  )
}

function Choice({ item }: { item: Extract<SecretItem, { kind: 'choice' }> }) {
  return (
    <fieldset>
      <legend>{item.title}</legend>
      {item.help && <div class="help">{item.help}</div>}
      {item.variants.map(({ id, title, help, items }, index) => (
        <div>
          <label class="choice">
            <input type="radio" name={choiceName(item.path)} value={id} checked={index === 0} />
            <div>
              {title}
              {help && <div class="help">{help}</div>}
            </div>
          </label>
          <Items items={items} variant={id} />
        </div>
      ))}
    </fieldset>
  )
}

function Problem({ problem }: { problem: ErrorRecord }) {
  return (
    <div class="problem">
      <p>{problem.message}</p>
      <p>{problem.hint}</p>
    </div>
  )
}

/** The end: saved, and what the test found. */
export function setupDonePage(name: string, problem?: ErrorRecord): Response {
  return page(
    'Saved',
    <>
      <h1>The credentials of {name} are saved</h1>
      {problem ? (
        <>
          <p>The test did not succeed yet:</p>
          <Problem problem={problem} />
        </>
      ) : (
        <p class="done">The test succeeded.</p>
      )}
      <p>You can close this page and go back to your chat.</p>
    </>,
  )
}
