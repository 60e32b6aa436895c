import { MongoError } from '../values/errors.js'

const CHECK_EVERY = 128

export const timeLimit = (): MongoError => new MongoError(50, 'operation exceeded time limit')

/** The time that an operation may take (`maxTimeMS`). A cursor keeps it: the time between its batches does not count. */
export class Interrupt {
  #deadline: number | undefined
  #left: number | undefined
  #checks = 0

  /** @param limit milliseconds, undefined for no limit */
  constructor (limit: number | undefined) {
    this.#left = limit
    this.resume()
  }

  /** To be called now and then by whatever may take long. */
  readonly check = (): void => {
    if (this.#deadline === undefined || ++this.#checks % CHECK_EVERY !== 0) return
    if (Date.now() > this.#deadline) throw timeLimit()
  }

  remainingMs (): number | undefined {
    return this.#deadline === undefined ? undefined : this.#deadline - Date.now()
  }

  pause (): void {
    this.#left = this.remainingMs()
    this.#deadline = undefined
  }

  resume (): void {
    this.#deadline = this.#left === undefined ? undefined : Date.now() + this.#left
  }
}
