/** So many are told of. An object that is used as a map would have as many as there are keys. */
const MOST = 100

/** Notes a field that the schema does not declare. */
export function noteUnknown(fields: Set<string>, field: string): void {
  if (fields.size < MOST) fields.add(field)
}
