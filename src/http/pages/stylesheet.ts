/** The only asset of the pages; readable on a phone, in light and dark. */
const CSS = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 1.5rem 1rem 3rem; }
main { max-width: 34rem; margin: 0 auto; }
h1 { font-size: 1.4rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
small, .help { color: color-mix(in srgb, currentColor 70%, transparent); font-size: .9rem; }
fieldset { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem; margin: 0 0 1.25rem; padding: .75rem 1rem; }
legend { font-weight: 600; padding: 0 .35rem; }
label { display: block; margin: .5rem 0; }
label > span { display: block; font-weight: 600; }
label.choice { display: grid; grid-template-columns: auto 1fr; gap: .65rem; align-items: start; }
label.choice input { margin-top: .35rem; }
input[type=text], input[type=password], textarea, select { box-sizing: border-box; width: 100%; font: inherit; padding: .55rem .65rem; border: 1px solid color-mix(in srgb, currentColor 40%, transparent); border-radius: .4rem; background: Canvas; color: CanvasText; }
textarea { min-height: 8rem; font-family: ui-monospace, monospace; font-size: .9rem; }
button { font: inherit; padding: .65rem 1.25rem; border-radius: .4rem; border: 1px solid currentColor; background: transparent; color: inherit; cursor: pointer; margin-right: .5rem; }
button.primary { background: #1d4ed8; border-color: #1d4ed8; color: #fff; }
.notice, .problem { border-left: .25rem solid #b45309; padding: .5rem .85rem; margin: 0 0 1.25rem; background: color-mix(in srgb, #b45309 10%, transparent); }
.problem { border-color: #b91c1c; background: color-mix(in srgb, #b91c1c 10%, transparent); }
.done { border-left: .25rem solid #15803d; padding: .5rem .85rem; margin: 0 0 1.25rem; background: color-mix(in srgb, #15803d 10%, transparent); }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
`

export function stylesheet(): Response {
  return new Response(CSS, {
    headers: { 'content-type': 'text/css; charset=utf-8', 'cache-control': 'public, max-age=3600' },
  })
}
