/**
 * The page of ours to go back to after signing in, as path and query; `/` for anything else.
 * Whatever a browser could read as another origin (`//host`, `/\host`, `/<tab>/host`, `/.//host`)
 * is refused by looking at what the URL parser makes of it, not at the text.
 */
export function safeReturnPath(wanted: string | null, origin: string): string {
  if (!wanted?.startsWith('/') || !URL.canParse(wanted, origin)) return '/'
  const url = new URL(wanted, origin)
  if (url.origin !== origin || url.pathname.startsWith('//')) return '/'
  // Back to the sign-in pages would be a circle.
  if (/^\/sign-(in|out)(\/|$)/.test(url.pathname)) return '/'
  return url.pathname + url.search
}
