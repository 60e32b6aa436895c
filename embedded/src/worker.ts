import { parentPort } from 'node:worker_threads'
import type { FromThread, ToThread } from './host/thread.js'
import type { RunningEngine } from './host/options.js'
import { runEngine } from './host/run.js'

const port = parentPort!
const engines = new Map<number, RunningEngine>()
let lastEngine = 0

const send = (message: FromThread): void => port.postMessage(message)

async function answer (message: ToThread): Promise<FromThread> {
  const { call } = message
  try {
    if ('start' in message) {
      const engine = ++lastEngine
      const running = await runEngine(message.start, line => send({ log: line, engine }))
      engines.set(engine, running)
      return { call, started: { engine, url: running.url } }
    }
    await engines.get(message.stop)?.stop()
    engines.delete(message.stop)
    return { call, stopped: true }
  } catch (error) {
    return { call, error: error instanceof Error ? error.message : String(error) }
  }
}

port.on('message', (message: ToThread) => { answer(message).then(send, () => {}) })
