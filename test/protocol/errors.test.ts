import { describe, expect, it } from 'vitest'
import { AirbyteError, packError, toAirbyteError } from '../../src/protocol/index.ts'

describe('AirbyteError', () => {
  it('keeps code, field and hint across an RPC that only carries the message', () => {
    const error = new AirbyteError('STREAM_NOT_FOUND', 'no stream', { field: 'streams[0].name' })
    const crossed = toAirbyteError(new Error(packError(error).message))
    expect(crossed.toJSON()).toEqual(error.toJSON())
  })

  it('calls what it does not know INTERNAL', () => {
    expect(toAirbyteError(new TypeError('boom'))).toMatchObject({
      code: 'INTERNAL',
      kind: 'system',
    })
  })
})
