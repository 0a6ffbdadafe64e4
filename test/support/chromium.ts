import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const INSTALL_LINE =
  'apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core'

/**
 * The Chromium of the system, without a window. `CHROMIUM` names another one. Without either: an
 * error that says how to install it.
 */
export function startChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
  if (!existsSync(executablePath)) {
    throw new Error(
      `The tests need Chromium, and there is no ${executablePath}. Install it (${INSTALL_LINE}), or name one in CHROMIUM.`,
    )
  }
  // Its sandbox wants user namespaces, which containers often lack; only our own pages are opened.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}
