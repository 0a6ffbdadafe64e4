export const SEAT_TABLE = `create table seats (
  key text not null, holder text not null, until integer not null, primary key (key, holder))`

/**
 * Places of which a source has so many, whoever runs it: each is held by one holder until a time,
 * and longer as long as that one asks again.
 */
export class Seats {
  readonly #sql: SqlStorage
  readonly #now: () => number

  constructor(sql: SqlStorage, now: () => number = Date.now) {
    this.#sql = sql
    this.#now = now
  }

  take(key: string, holder: string, limit: number, forMs: number): boolean {
    const now = this.#now()
    this.#sql.exec('delete from seats where until <= ?', now)
    const [others] = this.#sql
      .exec<{ taken: number }>(
        'select count(*) as taken from seats where key = ? and holder <> ?',
        ...[key, holder],
      )
      .toArray()
    if (others && others.taken >= limit) return false
    this.#sql.exec('insert or replace into seats values (?, ?, ?)', key, holder, now + forMs)
    return true
  }

  leave(key: string, holder: string): void {
    this.#sql.exec('delete from seats where key = ? and holder = ?', key, holder)
  }
}
