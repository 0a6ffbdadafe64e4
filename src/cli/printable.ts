/** Texts come from other systems: none of their escape sequences reaches the terminal. */
export const printable = (text: string) => text.replaceAll(/[^\P{Cc}\t\n]/gu, '')
