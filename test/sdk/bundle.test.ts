import { rolldown } from 'rolldown'
import { expect, it } from 'vitest'

it('is a small bundle without the operations or zod in it', async () => {
  const build = await rolldown({ input: 'src/sdk/index.ts' })
  const { output } = await build.generate({ minify: true })
  const [{ code, moduleIds }] = output
  const foreign = moduleIds.filter((id) => !/\/src\/sdk\//.test(id) && !id.startsWith('\0'))
  expect(foreign).toEqual([])
  expect(code.length).toBeLessThan(6000)
})
