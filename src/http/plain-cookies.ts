/**
 * The OAuth library binds consent to the browser by `__Host-` cookies, which need https. Chrome and
 * Firefox accept them on http://localhost, Safari does not: in local mode they travel without
 * the prefix. Over https nothing is changed.
 */
const PREFIX = '__Host-'

/** The request with the cookies under the names that the library knows. */
export function withPrefixedCookies(request: Request): Request {
  const cookie = request.headers.get('cookie')
  if (!cookie || !isPlain(request)) return request
  const prefixed = cookie.replace(/(^|;\s*)(oauth-)/g, `$1${PREFIX}$2`)
  const copy = new Request(request)
  copy.headers.set('cookie', prefixed)
  return copy
}

/** The response with cookies that a browser keeps over plain http. */
export function withPlainCookies(request: Request, response: Response): Response {
  const cookies = response.headers.getSetCookie()
  if (cookies.length === 0 || !isPlain(request)) return response
  const copy = new Response(response.body, response)
  copy.headers.delete('set-cookie')
  for (const cookie of cookies) {
    copy.headers.append('set-cookie', cookie.replace(PREFIX, '').replace(/;\s*Secure/i, ''))
  }
  return copy
}

const isPlain = (request: Request) => new URL(request.url).protocol === 'http:'
