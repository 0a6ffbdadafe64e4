/** What the config of a connector says of the server that a URL names. */
export function serverFields(server: string | URL) {
  const { hostname, port, pathname, username, password } = new URL(server)
  return { host: hostname, port: Number(port), database: pathname.slice(1), username, password }
}
