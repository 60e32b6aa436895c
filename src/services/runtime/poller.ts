import type { FastifyBaseLogger } from 'fastify'

type Options = {
  name: string
  /** does what is due and tells how much that was */
  run (signal: AbortSignal): Promise<number>
  /** milliseconds between two looks while there is work, and while there is none; both jittered by a quarter */
  busyMs: number
  idleMs: number
  log: FastifyBaseLogger
}

/** Calls `run` again and again, at once when woken; two runs never overlap. */
export class Poller {
  readonly #options: Options
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #again = false

  constructor (options: Options) {
    this.#options = options
  }

  start (): void {
    this.#schedule(0)
  }

  wake (): void {
    if (this.#stop.signal.aborted) return
    if (this.#running !== undefined) this.#again = true
    else this.#schedule(0)
  }

  /** No new run begins; resolves when the running one has ended. */
  async stop (): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  #schedule (delay: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => { this.#running = this.#turn().finally(() => { this.#running = undefined; this.#next() }) }, delay)
    this.#timer.unref()
  }

  #handled = 0
  async #turn (): Promise<void> {
    this.#again = false
    try {
      this.#handled = await this.#options.run(this.#stop.signal)
    } catch (error) {
      this.#handled = 0
      if (!this.#stop.signal.aborted) this.#options.log.error({ err: error, job: this.#options.name }, 'a poll failed')
    }
  }

  #next (): void {
    if (this.#stop.signal.aborted) return
    const { busyMs, idleMs } = this.#options
    const base = this.#handled > 0 ? busyMs : idleMs
    this.#schedule(this.#again ? 0 : base * (0.75 + Math.random() / 2))
  }
}
