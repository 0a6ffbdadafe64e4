export { startPostgres } from '../../scripts/lib/embedded-postgres.ts'
