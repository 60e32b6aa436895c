import type { FastifyBaseLogger } from 'fastify'
import type { ClickCounter } from './counter.js'
import { ClickJournal } from './journal.js'
import { writeRecord } from './record.js'

type Options = { dir: string, instance: string, maxBytes: number, counter: ClickCounter, log: FastifyBaseLogger }
export type ClickInput = {
  linkId: string, accountId: string, at: number, ip: string, userAgent: string | undefined, referrer: string | undefined, language: string | undefined,
  country: string | undefined, query: string, prefetch: boolean
}

const FLUSH_MS = 250
/** Under load a batch is collected for longer: a link's clicks of one batch cost one write. Figures still agree within a second. */
const BUSY_FLUSH_MS = 750
const BUSY_CLICKS = 500
const ADOPT_MS = 15_000
const RETRY_MS = 1_000

/** Takes clicks into the journal and counts them every 250 ms; what dead siblings left is counted too. */
export function createClicks ({ dir, instance, maxBytes, counter, log }: Options) {
  const journal = new ClickJournal({ dir, instance, maxBytes, log })
  let seq = 0
  let timer: NodeJS.Timeout | undefined
  let flushing: Promise<void> = Promise.resolve()
  let stopped = false
  let adoptedAt = 0

  async function flush (): Promise<void> {
    journal.rotate()
    for (let segment = await journal.next(); segment !== null; segment = await journal.next()) {
      try {
        await counter.count(segment)
      } catch (error) {
        journal.putBack(segment)
        throw error
      }
      journal.done()
    }
  }

  async function adopt (): Promise<void> {
    if (Date.now() - adoptedAt < ADOPT_MS) return
    adoptedAt = Date.now()
    for await (const orphan of journal.orphans()) {
      await counter.count(orphan)
      orphan.remove()
      log.info({ segment: orphan.id, clicks: orphan.lines.length }, 'clicks of a dead process counted')
    }
  }

  function schedule (delay: number): void {
    if (stopped) return
    timer = setTimeout(() => {
      const busy = journal.pending > BUSY_CLICKS
      flushing = flush().then(adopt).then(() => schedule(busy ? BUSY_FLUSH_MS : FLUSH_MS), error => {
        log.warn({ err: error, pending: journal.pending }, 'clicks wait for the database')
        schedule(RETRY_MS)
      })
    }, delay)
    timer.unref()
  }

  return {
    start (): void {
      journal.open()
      schedule(FLUSH_MS)
    },
    /** Journals a click; `written` is called when the redirect may be answered. */
    record (click: ClickInput, written: () => void): void {
      journal.append(writeRecord(
        seq++, click.linkId, click.accountId, click.at, click.ip, click.userAgent, click.referrer, click.language, click.country, click.query, click.prefetch
      ), written)
    },
    /** Counts what is there; rejects when the database is away. */
    async flush (): Promise<void> {
      await flushing
      await flush()
    },
    figures: () => ({ status: journal.status, pending: journal.pending, dropped: journal.dropped }),
    /** The last flush before exit; what cannot be counted stays in the journal for the next process. */
    async stop (): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await flushing
      await flush().catch(error => log.warn({ err: error, pending: journal.pending }, 'clicks stay in the journal'))
      journal.close()
    }
  }
}
export type Clicks = ReturnType<typeof createClicks>
