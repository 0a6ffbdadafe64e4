/** Where a command reads and writes; tests give their own. */
export interface Io {
  out(text: string): void
  err(text: string): void
  env: Record<string, string | undefined>
  /** Standard error is a terminal: progress bars make sense. */
  terminal: boolean
  /** Asks for a yes; false where nobody can answer. */
  confirm(question: string): Promise<boolean>
}
