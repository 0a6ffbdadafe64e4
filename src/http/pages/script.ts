import { MINUTES_CACHED } from './layout.tsx'

/**
 * The only script of the pages; without it they work too. It renews the parts marked `data-live`,
 * unless somebody is inside one, loads the page anew once there is nothing more to follow, and
 * keeps a form from being sent twice by a double click.
 */
const SCRIPT = `
for (const part of document.querySelectorAll('[data-live]')) follow(part)

async function follow(part) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, Number(part.dataset.every)))
    if (document.hidden || part.contains(document.activeElement)) continue
    try {
      const response = await fetch(part.dataset.live, { redirect: 'error' })
      if (!response.ok) continue
      if (response.headers.get('x-followed') === 'to-the-end') return location.reload()
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
      part.replaceChildren(...fresh.body.childNodes)
    } catch {}
  }
}

addEventListener('submit', ({ target }) => {
  setTimeout(() => {
    for (const button of target.querySelectorAll('button')) button.disabled = true
  })
})
addEventListener('pageshow', () => {
  for (const button of document.querySelectorAll('button:disabled')) button.disabled = false
})
`

export function script(): Response {
  return new Response(SCRIPT, {
    headers: {
      'content-type': 'text/javascript; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': MINUTES_CACHED,
    },
  })
}
