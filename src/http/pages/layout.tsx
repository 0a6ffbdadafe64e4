import type { Child } from 'hono/jsx'

export const STYLESHEET_PATH = '/pages.css'
export const SCRIPT_PATH = '/pages.js'
/** Of style sheet and script: a deployment shows soon. */
export const MINUTES_CACHED = 'public, max-age=300'

export interface PageOptions {
  status?: number
  headers?: Headers
  /** Above the content, on the pages of a workspace. */
  header?: Child
  /** Lets our own script run, and the forms be sent to us only. */
  script?: boolean
}

const BASE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
const SCRIPT_POLICY = `${BASE_POLICY}; script-src 'self'; connect-src 'self'; form-action 'self'`

/**
 * A page as a response: no inline script, no framing, no third party, never cached. Without `script`
 * no script at all, and `form-action` is left open: browsers apply it to the redirect that follows
 * a consent.
 */
export function page(title: string, body: Child, options: PageOptions = {}): Response {
  const html = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <link rel="stylesheet" href={STYLESHEET_PATH} />
        {options.script && <script src={SCRIPT_PATH} type="module" />}
      </head>
      <body>
        {options.header ?? <p class="mark">Airbyte</p>}
        <main id="content" class={options.header ? 'wide' : undefined}>
          {body}
        </main>
      </body>
    </html>
  )
  return htmlResponse(`<!doctype html>${html}`, options)
}

/** Part of a page, for the script. */
export function fragment(body: Child, options: PageOptions = {}): Response {
  return htmlResponse(String(body), { ...options, script: true })
}

function htmlResponse(html: string, options: PageOptions): Response {
  const headers = new Headers(options.headers)
  headers.set('content-type', 'text/html; charset=utf-8')
  headers.set('cache-control', 'no-store')
  headers.set('content-security-policy', options.script ? SCRIPT_POLICY : BASE_POLICY)
  headers.set('x-frame-options', 'DENY')
  headers.set('x-content-type-options', 'nosniff')
  // Not `no-referrer`: with it browsers send `Origin: null` with our own forms.
  headers.set('referrer-policy', 'same-origin')
  return new Response(html, { status: options.status ?? 200, headers })
}

/** A page that says one thing. */
export function messagePage(title: string, text: string, options: PageOptions = {}): Response {
  return page(
    title,
    <>
      <h1>{title}</h1>
      <p>{text}</p>
    </>,
    options,
  )
}
