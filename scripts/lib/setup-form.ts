/**
 * Enters credentials on a setup page as a browser would: loads it, fills its form, posts it with
 * the page's cookies. `values` are by field name, or by the last part of it.
 */
export async function enterCredentials(
  setupUrl: string,
  values: Record<string, string>,
): Promise<void> {
  const page = await fetch(setupUrl, { headers: { accept: 'text/html' } })
  const html = await page.text()
  if (!page.ok) throw new Error(`The setup page answered ${page.status}.`)
  const action = /<form[^>]*\saction="([^"]*)"/.exec(html)?.[1] ?? setupUrl
  const cookies = page.headers.getSetCookie().map((cookie) => cookie.split(';')[0])
  const posted = await fetch(new URL(unescaped(action), setupUrl), {
    method: 'POST',
    redirect: 'manual',
    headers: { accept: 'text/html', cookie: cookies.join('; '), origin: new URL(setupUrl).origin },
    body: filledForm(html, values),
  })
  // A page that asks again says why.
  const answer = await posted.text()
  if (posted.status >= 400 || answer.includes('<form')) {
    throw new Error(`The setup page did not take the credentials: ${textOf(answer)}`)
  }
}

function filledForm(html: string, values: Record<string, string>): URLSearchParams {
  const form = new URLSearchParams()
  for (const [tag] of html.matchAll(/<(?:input|textarea|button)\b[^>]*>/g)) {
    const name = attribute(tag, 'name')
    if (name === undefined) continue
    const value =
      values[name] ??
      values[
        name
          .split(/[.[\]/]+/)
          .filter(Boolean)
          .at(-1) ?? ''
      ]
    form.set(name, value ?? attribute(tag, 'value') ?? '')
  }
  return form
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
  return value === undefined ? undefined : unescaped(value)
}

const unescaped = (html: string) =>
  html.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')

const textOf = (html: string) =>
  html
    .replaceAll(/<(style|head)[\s\S]*?<\/\1>|<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300)
