import { MINUTES_CACHED } from './layout.tsx'

/** Readable on a phone, in light and dark; every pair of colours has the contrast of WCAG AA. */
const COLORS = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
  --ground: light-dark(#f6f7f9, #111418); --surface: light-dark(#fff, #1a1f26);
  --ink: light-dark(#17202b, #e8ecf1); --soft: light-dark(#526070, #a4b0bd);
  --line: light-dark(#dde2e8, #323a45); --edge: light-dark(#7c8998, #78869a);
  --link: light-dark(#1d4fbf, #8ab4ff); --accent: #1d4ed8;
  --good: light-dark(#166534, #7fdb9f); --busy: light-dark(#1e4fae, #93b8ff);
  --warn: light-dark(#8a4b06, #f5c16c); --bad: light-dark(#a11212, #ff9c93); --idle: var(--soft); }
.good { --tone: var(--good); } .busy { --tone: var(--busy); } .warn { --tone: var(--warn); }
.bad { --tone: var(--bad); } .idle { --tone: var(--idle); }
`

const TEXT = `
body { margin: 0; background: var(--ground); color: var(--ink); }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
main.wide { max-width: 60rem; }
.mark { font-weight: 700; text-align: center; margin: min(8vh, 4rem) 0 1rem; }
main:not(.wide) { background: var(--surface); border: 1px solid var(--line); border-radius: .75rem; padding: 1.75rem 2rem 1.5rem; margin-bottom: 3rem; }
main:not(.wide) fieldset { background: none; } main:not(.wide) form > p:last-child { margin-bottom: .6rem; }
@media (max-width: 40rem) { main:not(.wide) { border-width: 1px 0; border-radius: 0; padding: 1.25rem 1rem; } .mark { margin: 1.25rem 0 .75rem; } }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
a { color: var(--link); text-underline-offset: .15em; }
small, .help { color: var(--soft); font-size: .9rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
pre { background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 1rem; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.hidden, .skip:not(:focus) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.notice, .problem, .done { --tone: var(--warn); border-left: .25rem solid var(--tone); border-radius: .25rem; padding: .6rem .9rem; margin: 0 0 1.25rem; background: color-mix(in srgb, var(--tone) 9%, var(--surface)); }
.problem { --tone: var(--bad); } .done { --tone: var(--good); }
.problem h2 { margin: 0 0 .3rem; font-size: 1rem; } .problem > :last-child { margin-bottom: 0; }
.crumbs { margin: 0 0 .25rem; font-size: .95rem; }
`

const FORMS = `
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 1.25rem; padding: .75rem 1rem; background: var(--surface); min-width: 0; }
legend { font-weight: 600; padding: 0 .35rem; }
label { display: block; margin: .5rem 0; }
label > span { display: block; font-weight: 600; }
label.choice { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .65rem; align-items: start; overflow-wrap: anywhere; }
label.choice input { margin-top: .35rem; }
input:is([type=text], [type=password], [type=search], [type=number], [type=url]), textarea, select { box-sizing: border-box; width: 100%; max-width: 34rem; font: inherit; padding: .5rem .65rem; border: 1px solid var(--edge); border-radius: .4rem; background: var(--surface); color: var(--ink); }
input:is([type=checkbox], [type=radio]) { width: 1.1rem; height: 1.1rem; accent-color: var(--accent); }
textarea { min-height: 8rem; font-family: ui-monospace, monospace; font-size: .9rem; }
button, .button { display: inline-block; font: inherit; text-decoration: none; padding: .55rem 1.1rem; border-radius: .4rem; border: 1px solid var(--edge); background: var(--surface); color: var(--ink); cursor: pointer; margin-right: .5rem; }
button:hover, .button:hover { border-color: currentColor; }
button:disabled { opacity: .6; cursor: default; }
.primary { background: var(--accent); border-color: var(--accent); color: #fff; }
.whole { width: 100%; margin: 0; }
.danger { background: #a11212; border-color: #a11212; color: #fff; }
button.quiet { border: 0; background: none; color: var(--link); padding: .25rem; margin: 0; text-decoration: underline; text-underline-offset: .15em; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 1rem 0; }
.actions button { margin: 0; }
.inline { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .35rem 0; }
.inline input:is([type=text], [type=number], [type=search]) { width: 11rem; }
.inline label { margin: 0; font-weight: 600; }
.field { margin: 0 0 1rem; } .field label:not(.choice) { font-weight: 600; margin: 0 0 .2rem; } :is(.field, legend) small { font-weight: 400; }
.field .help, fieldset > div > .help { margin: .2rem 0 0; } .wrong { color: var(--bad); margin: .2rem 0 0; } .wrong::before { content: '⚠ '; }
[aria-invalid=true] { border-color: var(--bad) !important; }
fieldset.plain { border: 0; padding: 0; background: none; max-width: 46rem; } fieldset fieldset fieldset { background: none; }
textarea.short { min-height: 4.5rem; }
.variant > .inside { margin: .5rem 0 1rem 1.75rem; } .variant:not(:has(> .choice > input:checked)) > .inside { display: none; }
details.wide { grid-column: 1 / -1; margin: 0 0 .5rem; } details.plan { margin: 0 0 .5rem; } details > p { margin: .5rem 0; }
.more { margin: 2rem 0 0; } .more > summary { color: var(--soft); }
.sticky { position: sticky; bottom: 0; padding: .75rem 0; margin: 0; background: var(--ground); }
`

const WORKSPACE = `
.top { background: var(--surface); border-bottom: 1px solid var(--line); }
.bar { max-width: 76rem; margin: 0 auto; padding: .6rem 1rem; display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; align-items: center; }
.brand { font-weight: 700; color: var(--ink); text-decoration: none; overflow-wrap: anywhere; }
.brand span { font-weight: 400; color: var(--soft); margin-left: .35rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .15rem; list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .35rem .5rem; border-radius: .4rem; color: var(--ink); text-decoration: none; }
nav a:hover { background: var(--ground); }
nav a[aria-current] { font-weight: 600; box-shadow: inset 0 -2px var(--link); border-radius: 0; }
.who { margin-left: auto; display: flex; gap: .75rem; align-items: center; color: var(--soft); font-size: .9rem; }
.title { display: flex; flex-wrap: wrap; gap: .35rem .75rem; align-items: baseline; }
.title :is(h1, h2, h3) { margin: 0; min-width: 0; }
.pill { font-size: .85rem; font-weight: 600; padding: .1rem .6rem; border-radius: 1rem; white-space: nowrap; color: var(--tone); background: color-mix(in srgb, var(--tone) 12%, var(--surface)); border: 1px solid color-mix(in srgb, var(--tone) 35%, transparent); }
.summary { font-weight: 600; }
.route { color: var(--soft); margin: .2rem 0 .6rem; }
.cards { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem; }
.card { background: var(--surface); border: 1px solid var(--line); border-left: .3rem solid var(--tone); border-radius: .5rem; padding: .85rem 1rem; min-width: 0; }
.tiles { grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); }
.card h2 { font-size: 1.05rem; margin: 0; } .card .actions { margin: .5rem 0 0; } .card p:last-child { margin-bottom: 0; }
.card .what { color: var(--tone); margin: 0 0 .6rem; }
.facts { display: flex; flex-wrap: wrap; gap: .4rem 2rem; margin: 0; }
.facts dt { color: var(--soft); font-size: .85rem; } .facts dd { margin: 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr)); gap: .25rem 1.25rem; align-items: end; }
.columns p { margin: 0 0 .9rem; }
.empty { background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; padding: 1.25rem; } .empty h2 { margin-top: 0; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; background: var(--surface); margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { text-align: left; padding: .5rem .75rem; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: normal; }
thead th { border-top: 0; color: var(--soft); font-size: .85rem; font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; } tbody th a { white-space: nowrap; } td.number, td time { white-space: nowrap; font-variant-numeric: tabular-nums; }
td code { overflow-wrap: anywhere; } td:has(> code, > details) { min-width: 14rem; } summary { cursor: pointer; } code.hash { white-space: nowrap; overflow-wrap: normal; }
progress { width: 8rem; height: .7rem; accent-color: var(--accent); }
.chart { margin: 0 0 1rem; padding: .75rem 1rem; background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; }
.chart svg { display: block; width: 100%; height: auto; }
.chart .axis { stroke: var(--line); } .chart .bar { fill: var(--tone); } .chart .bar.good { fill: var(--link); }
.chart figcaption { color: var(--soft); font-size: .85rem; margin-top: .5rem; }
.log { max-height: 20rem; overflow: auto; background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; margin: 0 0 1rem; }
.log ol { list-style: none; margin: 0; padding: 0; font: .85rem/1.55 ui-monospace, monospace; overflow-wrap: anywhere; }
.log time { color: var(--soft); } .log .error strong { color: var(--bad); } .log .warn strong { color: var(--warn); }
@media (max-width: 40rem) { .who { width: 100%; margin: 0; justify-content: space-between; } h1 { font-size: 1.3rem; } }
`

export function stylesheet(): Response {
  return new Response(COLORS + TEXT + FORMS + WORKSPACE, {
    headers: { 'content-type': 'text/css; charset=utf-8', 'cache-control': MINUTES_CACHED },
  })
}
