import { CallLeases, type CallWindows } from '../call-leases.ts'
import { type CallWindow, callWindow } from '../call-window.ts'
import type { Token } from '../contract.ts'
import { isAnswerLost } from '../lost-answer.ts'
import type { Run } from './environment.ts'

/** Where nobody else runs the source it is enough that one refresh is under way at a time. */
export function ownerOfRun(now: () => number): Run['owner'] {
  const flights = new Map<string, Promise<Token>>()
  const uncertain = new Set<string>()
  const seats = new Map<string, Set<string>>()
  const calls = new CallLeases(windowsInMemory(), now, 0)
  return {
    takeCalls: async (...lease) => calls.take(...lease),
    learnCalls: async (...said) => calls.learn(...said),
    giveBackCalls: async (...back) => calls.giveBack(...back),
    async takeSeat(key, holder, limit) {
      const holders = seats.get(key) ?? new Set()
      if (!holders.has(holder) && holders.size >= limit) return false
      seats.set(key, holders.add(holder))
      return true
    },
    async leaveSeat(key, holder) {
      seats.get(key)?.delete(holder)
    },
    token(key, refresh, stale) {
      const known = flights.get(key)
      if (known) return known
      const state = { uncertain: uncertain.has(key), ...(stale === undefined ? {} : { stale }) }
      const flight = refresh(state)
        .then(
          (token) => {
            uncertain.delete(key)
            return token
          },
          (error: unknown) => {
            if (isAnswerLost(error)) uncertain.add(key)
            throw error
          },
        )
        .finally(() => flights.delete(key))
      flights.set(key, flight)
      return flight
    },
  }
}

function windowsInMemory(): CallWindows {
  const windows = new Map<string, CallWindow>()
  return {
    use(key, rates, change) {
      const window = windows.get(key) ?? callWindow(rates)
      windows.set(key, window)
      return change(window)
    },
  }
}
