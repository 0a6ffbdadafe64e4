import type { Child } from 'hono/jsx'

export const STYLESHEET_PATH = '/pages.css'

interface PageOptions {
  status?: number
  headers?: Headers
}

/**
 * A page as a response: no script, no framing, no third party, never cached.
 * `form-action` is left open on purpose: browsers apply it to the redirect that follows a consent.
 */
export function page(title: string, body: Child, options: PageOptions = {}): Response {
  const headers = new Headers(options.headers)
  headers.set('content-type', 'text/html; charset=utf-8')
  headers.set('cache-control', 'no-store')
  headers.set(
    'content-security-policy',
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  )
  headers.set('x-frame-options', 'DENY')
  headers.set('x-content-type-options', 'nosniff')
  // Not `no-referrer`: with it browsers send `Origin: null` with our own forms.
  headers.set('referrer-policy', 'same-origin')
  const html = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <link rel="stylesheet" href={STYLESHEET_PATH} />
      </head>
      <body>
        <main>{body}</main>
      </body>
    </html>
  )
  return new Response(`<!doctype html>${html}`, { status: options.status ?? 200, headers })
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
