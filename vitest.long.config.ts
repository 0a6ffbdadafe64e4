import { defineConfig } from 'vitest/config'
import { yamlText } from './test/support/yaml-text.ts'

/** What takes minutes: crashes at every gap, soak. One file after the other, on the real runtime. */
export default defineConfig({
  plugins: [yamlText()],
  test: {
    name: 'long',
    include: ['test/long/**/*.test.ts'],
    globalSetup: ['./test/support/global-setup.ts'],
    fileParallelism: false,
    maxConcurrency: 2,
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
})
