import { createServer, request, type Server } from 'node:http'

/** A server that adds a token to each request and changes nothing else, for clients that cannot. */
export function withToken(target: string, token: string): Server {
  return createServer((incoming, outgoing) => {
    const { method, url = '/', headers } = incoming
    const onward = request(
      new URL(url, target).href,
      { method, headers: { ...headers, authorization: `Bearer ${token}` } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    onward.on('error', () => outgoing.destroy())
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  })
}
