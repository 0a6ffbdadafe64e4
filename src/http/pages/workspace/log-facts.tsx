import { bytesText, span } from '../../workspace/format.ts'
import { isTight } from '../../workspace/health.ts'
import { Fact, Pill } from './parts.tsx'

/** How far a connection is behind the log of its source. */
export interface LogLag {
  /** Bytes of log that the database keeps for it. */
  retainedBytes: number
  /** Bytes that may be written until log that is needed is lost; absent: there is no such limit. */
  safeBytes?: number
  /** Read, and not yet loaded. */
  stagedBytes?: number
  behindSeconds?: number
}

export function LogFacts({ log }: { log: LogLag }) {
  const { retainedBytes, safeBytes, stagedBytes = 0, behindSeconds } = log
  return (
    <>
      <Fact label="Log kept at the source">
        {bytesText(retainedBytes)} {isTight(log) && <Pill tone="warn">Sync soon</Pill>}
      </Fact>
      {safeBytes !== undefined && <Fact label="Until log is lost">{bytesText(safeBytes)}</Fact>}
      {stagedBytes > 0 && <Fact label="Read, not loaded yet">{bytesText(stagedBytes)}</Fact>}
      {behindSeconds !== undefined && (
        <Fact label="Behind the source">at most {span(behindSeconds * 1000)}</Fact>
      )}
    </>
  )
}
