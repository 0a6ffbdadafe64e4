export { type RunningPostgres, startPostgres } from '../../scripts/lib/embedded-postgres.ts'
