/** Quotes are doubled, and that is all: the session has NO_BACKSLASH_ESCAPES. */
export const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``

export const text = (value: string) => `'${value.replaceAll("'", "''")}'`

export const qualified = ({ schema, name }: { schema: string; name: string }) =>
  `${quote(schema)}.${quote(name)}`
