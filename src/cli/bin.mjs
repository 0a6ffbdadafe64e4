#!/usr/bin/env node
// Node runs TypeScript as it is, but not below node_modules, where an installed package lies; and
// the manifest of a connector is imported as text, which only bundlers do by themselves.
import { readFileSync } from 'node:fs'
import { enableCompileCache, registerHooks, stripTypeScriptTypes } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

const { emitWarning } = process
process.emitWarning = (warning, ...rest) =>
  String(rest[0]?.type ?? rest[0]) === 'ExperimentalWarning'
    ? undefined
    : emitWarning(warning, ...rest)

// Halves the start: what Node made of the modules the last time is kept in the temporary directory.
enableCompileCache()
const isForNode = (url) => process.features.typescript && !url.includes('/node_modules/')

const MODULES = {
  '.ts': stripTypeScriptTypes,
  '.yaml': (text) => `export default ${JSON.stringify(text)}`,
}

registerHooks({
  load(url, context, next) {
    const toModule = MODULES[extname(url)]
    if (!url.startsWith('file:') || !toModule) return next(url, context)
    if (extname(url) === '.ts' && isForNode(url)) return next(url, context)
    const source = toModule(readFileSync(fileURLToPath(url), 'utf8'))
    return { format: 'module', source, shortCircuit: true }
  },
})

const { enter } = await import('./entry.ts')
process.exitCode = await enter(process.argv.slice(2))
