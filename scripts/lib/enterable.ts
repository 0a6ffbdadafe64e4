import { statSync } from 'node:fs'
import { dirname } from 'node:path'

const ENTER_FOR_OTHERS = 0o001

/**
 * PostgreSQL does not run as root: started by root, it runs as the user postgres.
 *
 * @throws when that user may not enter a directory above the path
 */
export function requireEnterable(path: string): void {
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((statSync(at).mode & ENTER_FOR_OTHERS) === 0) {
      throw new Error(
        `As root, PostgreSQL runs as the user postgres, who may not enter ${at}. Run this as another user, or: chmod o+x '${at}'`,
      )
    }
    if (at === dirname(at)) return
  }
}
