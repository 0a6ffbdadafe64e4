import { readFileSync } from 'node:fs'

const TICKS_A_SECOND = 100

/** CPU seconds, user and system, that processes have spent so far. Linux. */
export function cpuSeconds(pids: number[]): number {
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0) / TICKS_A_SECOND
}

function ticksOf(pid: number): number {
  // The name, in parentheses, may hold blanks; the fields after it do not.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

/** Resident megabytes of a process. */
export const residentMegabytes = (pid: number): number => statusMegabytes(pid, 'VmRSS')

/** The most resident megabytes that a process has had. */
export const peakMegabytes = (pid: number): number => statusMegabytes(pid, 'VmHWM')

function statusMegabytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
