import { setTimeout as wait } from 'node:timers/promises'
import mongoose, { type Connection } from 'mongoose'
import { redirectId, REDIRECTS } from './dataset.js'
import type { Server } from './servers.js'

const LIMIT_MS = 5_000
const EVERY_MS = 40

const REDIRECTED = { _id: { $gte: redirectId(0), $lt: redirectId(REDIRECTS) } }

/** Counts what the redirects of a round left in the database: ours as the links' `visits`, Express as rows of its own. */
export class Clicks {
  #ours = 0
  #express = 0

  private constructor (private readonly connection: Connection) {}

  static async open (url: string): Promise<Clicks> {
    const clicks = new Clicks(await mongoose.createConnection(url).asPromise())
    await clicks.reset()
    return clicks
  }

  /** Starts from what is counted now; after a void round. */
  reset = async (): Promise<void> => {
    this.#ours = await this.#visits()
    this.#express = await this.#rows()
  }

  async #visits (): Promise<number> {
    const [sum] = await this.connection.collection('short-urls')
      .aggregate<{ visits: number }>([{ $match: REDIRECTED }, { $group: { _id: null, visits: { $sum: '$visits' } } }]).toArray()
    return sum?.visits ?? 0
  }

  #rows (): Promise<number> {
    return this.connection.collection('express-clicks').estimatedDocumentCount()
  }

  /** @throws when the clicks counted are not the redirects answered: the round is void */
  settle = async (server: Server, answered: number): Promise<void> => {
    if (server.name === 'ours') this.#ours = await this.#until(this.#ours + answered, () => this.#visits())
    if (server.name === 'express') this.#express = await this.#until(this.#express + answered, () => this.#rows())
  }

  async #until (wanted: number, count: () => Promise<number>): Promise<number> {
    for (let waited = 0; ; waited += EVERY_MS) {
      const counted = await count()
      if (counted === wanted) return counted
      if (counted > wanted || waited > LIMIT_MS) throw new Error(`${counted} clicks counted for ${wanted} redirects`)
      await wait(EVERY_MS)
    }
  }

  close (): Promise<void> { return this.connection.close() }
}
