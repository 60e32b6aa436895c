import { Worker } from 'node:worker_threads'
import type { PlainOptions, RunningEngine } from './options.js'

export type ToThread = { readonly call: number, readonly start: PlainOptions } | { readonly call: number, readonly stop: number }
export type FromThread =
  | { readonly call: number, readonly started: { readonly engine: number, readonly url: string } }
  | { readonly call: number, readonly stopped: true }
  | { readonly call: number, readonly error: string }
  | { readonly log: string, readonly engine: number }

type Started = { readonly engine: number, readonly url: string }
type Pending = { readonly resolve: (value: Started | undefined) => void, readonly reject: (error: Error) => void }

/** Run from source, as tests do, a worker needs the TypeScript loader of its own: Node does not pass it on. */
function newWorker (): Worker {
  const here = import.meta.url
  if (!here.endsWith('.ts')) return new Worker(new URL('../worker.js', here))
  return new Worker('const { workerData: { loader, worker } } = require("node:worker_threads");' +
    'import(loader).then(({ register }) => { register(); return import(worker) })',
  { eval: true, execArgv: [], workerData: { loader: import.meta.resolve('tsx/esm/api'), worker: new URL('../worker.ts', here).href } })
}

/** A worker thread that runs engines. */
class EngineThread {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #calls = 0
  #ended: Error | undefined
  engines = 0

  constructor (private readonly log: (line: string) => void) {
    this.#worker = newWorker()
    this.#worker.on('message', (message: FromThread) => this.#receive(message))
    this.#worker.on('error', error => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the engine thread has ended')))
  }

  #receive (message: FromThread): void {
    if ('log' in message) {
      this.log(message.log)
      return
    }
    const pending = this.#pending.get(message.call)
    this.#pending.delete(message.call)
    if ('error' in message) pending?.reject(new Error(message.error))
    else pending?.resolve('started' in message ? message.started : undefined)
  }

  get isAlive (): boolean {
    return this.#ended === undefined
  }

  #fail (error: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    if (this.engines > 0) this.log(`engine thread: ${error.stack ?? error.message}`)
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }

  call (message: { start: PlainOptions } | { stop: number }): Promise<Started | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended
      const call = ++this.#calls
      this.#pending.set(call, { resolve, reject })
      this.#worker.postMessage({ call, ...message } satisfies ToThread)
    })
  }

  ref (): void {
    this.#worker.ref()
  }

  unref (): void {
    this.#worker.unref()
  }

  async end (): Promise<void> {
    await this.#worker.terminate()
  }
}

/** Engines in memory share one thread: a thread for each would take longer to start than the test that uses it. */
let shared: EngineThread | undefined

export async function runInThread (options: PlainOptions, log: (line: string) => void): Promise<RunningEngine> {
  const isShared = options.memory === true
  if (shared?.isAlive === false) shared = undefined
  const thread = isShared ? shared ??= new EngineThread(() => {}) : new EngineThread(log)
  thread.engines++
  thread.ref()
  try {
    const started = (await thread.call({ start: options }))!
    return { url: started.url, stop: () => leave(thread, isShared, started.engine) }
  } catch (error) {
    await leave(thread, isShared, undefined)
    throw error
  }
}

async function leave (thread: EngineThread, isShared: boolean, engine: number | undefined): Promise<void> {
  if (engine !== undefined && thread.isAlive) await thread.call({ stop: engine })
  thread.engines--
  if (thread.engines > 0) return
  // kept for the next test; it does not keep the process alive
  if (isShared) thread.unref()
  else await thread.end()
}
