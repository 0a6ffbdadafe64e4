export {
  type RunningServer,
  type ServerOptions,
  startServer,
} from '../../scripts/lib/local-server.ts'
