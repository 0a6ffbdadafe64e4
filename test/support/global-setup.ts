import type { TestProject } from 'vitest/node'
import { startPostgres } from './embedded-postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser URL of an empty database on a real PostgreSQL with `wal_level=logical`. */
    pgUrl: string
  }
}

export default async function setup(project: TestProject) {
  const postgres = await startPostgres()
  project.provide('pgUrl', await postgres.createDatabase('test'))
  return () => postgres.stop()
}
