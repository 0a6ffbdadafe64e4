export { type RunningServer, startServer } from '../../scripts/lib/local-server.ts'
