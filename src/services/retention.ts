import type { Platform } from './platform.js'
import type { Counts, JobRun } from './runtime/jobs.js'

/** What a module removes for good every night: batches, and an end when the run is no longer ours. */
export type Purge = { name: string, run (run: JobRun): Promise<number> }

/** The nightly job `retention`: every module adds what it has to remove; one that fails does not stop the others. */
export function createRetention ({ jobs, log }: Pick<Platform, 'jobs' | 'log'>) {
  const purges: Purge[] = []

  async function run (job: JobRun): Promise<Counts> {
    const counts: Counts = {}
    let failure: unknown = null
    for (const purge of purges) {
      if (job.signal.aborted) break
      try {
        counts[purge.name] = await purge.run(job)
      } catch (error) {
        log.error({ err: error, purge: purge.name }, 'a purge failed')
        failure = error
      }
    }
    if (failure !== null) throw failure as Error
    return counts
  }

  jobs.register({ name: 'retention', family: 'QM_RETENTION', kind: 'cron', calendar: { hour: 3 }, run })
  return { add (purge: Purge): void { purges.push(purge) } }
}
export type Retention = ReturnType<typeof createRetention>
