import { main } from '../../src/cli/main.ts'

interface Shell {
  env: Record<string, string | undefined>
  /** Answers a question; default no. */
  confirm?: () => boolean
}

/** Runs a command line as a shell would. */
export async function runCommand({ env, confirm = () => false }: Shell, argv: string[]) {
  const written = { out: '', err: '', asked: '' }
  const code = await main(argv, {
    out: (text) => {
      written.out += text
    },
    err: (text) => {
      written.err += text
    },
    env,
    terminal: false,
    confirm: async (question) => {
      written.asked += question
      return confirm()
    },
  })
  return { code, ...written }
}
