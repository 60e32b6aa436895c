import { BsonDate, Timestamp } from '../values/types.js'

/** The cluster clock: every commit gets its own Timestamp, later than all before, also across restarts (the log tells the last one). */
export class Clock {
  #seconds: number
  #increment: number

  constructor (last?: Timestamp) {
    this.#seconds = last?.seconds ?? Math.floor(Date.now() / 1000)
    this.#increment = last?.increment ?? 1
  }

  tick (): Timestamp {
    const wall = Math.floor(Date.now() / 1000)
    if (wall > this.#seconds) {
      this.#seconds = wall
      this.#increment = 1
    } else this.#increment++
    return this.last()
  }

  last (): Timestamp {
    return new Timestamp(this.#seconds, this.#increment)
  }

  now (): BsonDate {
    return new BsonDate(Date.now())
  }
}

export const compareTimestamps = (a: Timestamp, b: Timestamp): number =>
  a.seconds !== b.seconds ? a.seconds - b.seconds : a.increment - b.increment
