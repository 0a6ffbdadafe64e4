/** A record as its API gave it; big integers are `bigint`, integral floats may be boxed. */
export type RecordData = { [field: string]: unknown }
