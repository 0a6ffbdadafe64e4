import { AirbyteError } from '../protocol/index.ts'

/**
 * A request's body as text, whatever its type says.
 * @throws AirbyteError TOO_LARGE as soon as more than `limit` bytes came, declared or not
 */
export async function readBody(request: Request, limit: number): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge(limit)
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge(limit)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function tooLarge(limit: number): AirbyteError {
  return new AirbyteError('TOO_LARGE', `The request is larger than ${limit} bytes.`)
}
