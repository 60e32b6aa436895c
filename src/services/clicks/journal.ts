import { closeSync, fsync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { FastifyBaseLogger } from 'fastify'

/**
 * The journal of answered redirects (modules/url-shortener.md 4.5). All clicks of one event-loop turn go into one file in one write before their
 * answers leave, so a process that dies loses none that it answered. A segment is closed, counted and removed; one that was counted already is
 * known by its name, so replaying it after a crash changes nothing.
 */
export type Segment = { id: string, lines: string[] }

type Options = {
  dir: string
  /** unique to this process */
  instance: string
  maxBytes: number
  log: FastifyBaseLogger
}

const FSYNC_MS = 10
const HEARTBEAT_MS = 2_000
/** A process that did not touch its lock for this long is dead. */
const DEAD_AFTER_MS = 10_000
const LOCK = 'lock'

export class ClickJournal {
  readonly #options: Options
  readonly #home: string
  #fd: number | null = null
  #number = 0
  #bytes = 0
  #count = 0
  #closedBytes = 0
  readonly #closed: { number: number, bytes: number, count: number }[] = []
  #turn: string[] = []
  #waiting: (() => void)[] = []
  #flushScheduled = false
  #syncTimer: NodeJS.Timeout | undefined
  #heart: NodeJS.Timeout | undefined
  #memory: string[] | null = null
  #dropped = 0

  constructor (options: Options) {
    this.#options = options
    this.#home = join(options.dir, options.instance)
  }

  /** Opens the folder; when it cannot be written the journal lives in memory and says so in health. */
  open (): void {
    try {
      mkdirSync(this.#home, { recursive: true })
      writeFileSync(join(this.#home, LOCK), `${hostname()} ${process.pid}`)
      this.#openSegment()
    } catch (error) {
      this.#options.log.error({ err: error, dir: this.#options.dir }, 'the click journal cannot be written: clicks are kept in memory')
      this.#memory = []
    }
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT_MS).unref()
  }

  /** Adds a click; `written` is called once it is in the file, which is when the redirect may be answered. */
  append (line: string, written: () => void): void {
    this.#turn.push(line)
    this.#waiting.push(written)
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    setImmediate(() => this.#flush())
  }

  get pending (): number { return this.#count + this.#closed.reduce((sum, segment) => sum + segment.count, 0) + (this.#memory?.length ?? 0) }
  get dropped (): number { return this.#dropped }
  get status (): 'ok' | 'memory' | 'full' { return this.#memory !== null ? 'memory' : this.#isFull() ? 'full' : 'ok' }

  /** Closes the file that is being written, so that it can be counted; null when nothing is there. */
  rotate (): void {
    if (this.#memory !== null || this.#count === 0) return
    this.#flush()
    closeSync(this.#fd!)
    this.#closed.push({ number: this.#number, bytes: this.#bytes, count: this.#count })
    this.#closedBytes += this.#bytes
    this.#number++
    this.#openSegment()
  }

  /** The oldest closed segment. */
  async next (): Promise<Segment | null> {
    if (this.#memory !== null) {
      if (this.#memory.length === 0) return null
      const lines = this.#memory
      this.#memory = []
      return { id: `${this.#options.instance}:m${this.#number++}`, lines }
    }
    const segment = this.#closed[0]
    if (segment === undefined) return null
    return { id: `${this.#options.instance}:${segment.number}`, lines: await readLines(this.#file(segment.number)) }
  }

  /** Forgets the oldest closed segment: it has been counted. */
  done (): void {
    const segment = this.#closed.shift()
    if (segment === undefined) return
    this.#closedBytes -= segment.bytes
    rmSync(this.#file(segment.number), { force: true })
  }

  /** A memory batch that could not be counted comes back. */
  putBack (segment: Segment): void {
    if (this.#memory !== null) this.#memory.unshift(...segment.lines)
  }

  close (): void {
    clearInterval(this.#heart)
    clearTimeout(this.#syncTimer)
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
    if (this.#memory === null && this.#closed.length === 0 && this.#count === 0) rmSync(this.#home, { recursive: true, force: true })
  }

  /** Segments of processes that died, oldest first; their folders are taken over by renaming, so that only one process counts them. */
  async * orphans (): AsyncGenerator<Segment & { remove (): void }> {
    for (const name of safeList(this.#options.dir)) {
      const folder = join(this.#options.dir, name)
      if (name === this.#options.instance || !isDead(folder)) continue
      const instance = name.split('~')[0]!
      const mine = join(this.#options.dir, `${instance}~${this.#options.instance}`)
      try {
        if (folder !== mine) renameSync(folder, mine)
      } catch {
        continue // another process was faster
      }
      utimesSync(join(mine, LOCK), new Date(), new Date())
      const numbers = safeList(mine).filter(file => file.endsWith('.log')).map(file => Number(file.slice(0, -4))).sort((a, b) => a - b)
      for (const number of numbers) {
        const file = join(mine, `${number}.log`)
        yield { id: `${instance}:${number}`, lines: await readLines(file), remove: () => rmSync(file, { force: true }) }
      }
      if (safeList(mine).every(file => file === LOCK)) rmSync(mine, { recursive: true, force: true })
    }
  }

  #file (number: number): string { return join(this.#home, `${number}.log`) }

  #openSegment (): void {
    this.#fd = openSync(this.#file(this.#number), 'a')
    this.#bytes = 0
    this.#count = 0
  }

  #isFull (): boolean { return this.#closedBytes + this.#bytes >= this.#options.maxBytes }

  #flush (): void {
    this.#flushScheduled = false
    const lines = this.#turn
    const waiting = this.#waiting
    if (lines.length === 0) return
    this.#turn = []
    this.#waiting = []
    this.#write(lines)
    for (const written of waiting) written()
  }

  #write (lines: string[]): void {
    if (this.#memory !== null) {
      this.#memory.push(...lines)
      return
    }
    if (this.#isFull()) {
      this.#dropped += lines.length
      return
    }
    try {
      this.#bytes += writeSync(this.#fd!, lines.length === 1 ? lines[0] + '\n' : lines.join('\n') + '\n')
      this.#count += lines.length
      this.#syncTimer ??= setTimeout(() => this.#sync(), FSYNC_MS).unref()
    } catch (error) {
      this.#options.log.error({ err: error }, 'the click journal cannot be written: clicks are kept in memory')
      this.#memory = [...lines]
    }
  }

  #sync (): void {
    this.#syncTimer = undefined
    if (this.#fd !== null) fsync(this.#fd, () => {}) // a segment that was closed meanwhile was counted or will be read: nothing is lost
  }

  #beat (): void {
    try {
      utimesSync(join(this.#home, LOCK), new Date(), new Date())
    } catch {
      // the folder is gone or read-only: writing will notice
    }
  }
}

const safeList = (dir: string): string[] => {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

/** A line without its end was being written when the process died: its redirect was never answered. */
async function readLines (file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8')
  return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter(line => line !== '')
}

function isDead (folder: string): boolean {
  try {
    const lock = join(folder, LOCK)
    return Date.now() - statSync(lock).mtimeMs > DEAD_AFTER_MS && !isFrozen(readFileSync(lock, 'utf8'))
  } catch {
    return false
  }
}

/** A process of this machine that is stopped but not gone will go on writing where it was. */
function isFrozen (owner: string): boolean {
  const [host, pid] = owner.split(' ')
  if (host !== hostname() || Number(pid) === process.pid) return false
  try {
    process.kill(Number(pid), 0)
    return true
  } catch {
    return false
  }
}
