import { checkOptions, logOf } from './host/options.js'
import type { EngineOptions, RunningEngine } from './host/options.js'
import { runEngine } from './host/run.js'
import { runInThread } from './host/thread.js'

export type { EngineOptions, RunningEngine } from './host/options.js'
export { EngineRefused } from './host/options.js'

/** Starts an engine; it serves clients at `url` until `stop`. */
export async function startEngine (options: EngineOptions): Promise<RunningEngine> {
  checkOptions(options)
  const { log: _, worker = true, ...plain } = options
  return worker ? runInThread(plain, logOf(options)) : runEngine(plain, logOf(options))
}
