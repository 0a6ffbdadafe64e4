#!/usr/bin/env node
// Node runs TypeScript as it is, but not below node_modules, where an installed package lies.
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

const { emitWarning } = process
process.emitWarning = (warning, ...rest) =>
  String(rest[0]?.type ?? rest[0]) === 'ExperimentalWarning'
    ? undefined
    : emitWarning(warning, ...rest)

registerHooks({
  load(url, context, next) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
    const source = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'))
    return { format: 'module', source, shortCircuit: true }
  },
})

const { main } = await import('./main.ts')
process.exitCode = await main(process.argv.slice(2))
