/** Fails when the Worker, compressed as it is uploaded, outgrows its budget. The platform allows 10 MB. */
import { gzipSync } from 'node:zlib'
import { bundleWorker } from './lib/bundle.ts'

const BUDGET_KB = 3072

const modules = await bundleWorker()
const sizes = modules.map(({ path, contents }) => ({
  path,
  gzip: gzipSync(contents).length / 1024,
}))
const total = sizes.reduce((sum, { gzip }) => sum + gzip, 0)

for (const { path, gzip } of sizes) console.log(`${gzip.toFixed(0).padStart(6)} KB gzip  ${path}`)
console.log(`${total.toFixed(0).padStart(6)} KB gzip  in all; the budget is ${BUDGET_KB} KB`)
if (total > BUDGET_KB) {
  console.error('The bundle is over its budget: see what the last dependency brought with it.')
  process.exit(1)
}
