import { KEYSPACE } from '../storage/index.js'
import type { Reader, Writer } from '../storage/index.js'
import { encodeDocument } from '../values/bson-write.js'
import { docOf, int } from '../values/build.js'
import { BsonDate, Doc, Int32 } from '../values/types.js'

/** The outcome of the statements `from` to `to` of a retryable write; neighbours with the same outcome share an entry. */
export type StatementOutcome = { readonly from: number, readonly to: number, readonly outcome: Doc }

export type SessionRecord = {
  readonly txnNumber: bigint
  /** a transaction that was committed, else a retryable write */
  readonly committed: boolean
  readonly at: BsonDate
  readonly statements: readonly StatementOutcome[]
}

const PREFIX = KEYSPACE.sessions
const END = Buffer.from([KEYSPACE.sessions + 1])

const recordKey = (sessionKey: Buffer): Buffer => Buffer.concat([Buffer.from([PREFIX]), sessionKey])

export function readRecord (reader: Reader, sessionKey: Buffer): SessionRecord | undefined {
  const bytes = reader.get(recordKey(sessionKey))
  return bytes === undefined ? undefined : decode(bytes)
}

function decode (bytes: Buffer): SessionRecord {
  const doc = Doc.raw(bytes)
  const statements = (doc.get('s') as Doc[]).map(s => ({
    from: (s.get('f') as Int32).value, to: (s.get('t') as Int32).value, outcome: s.get('o') as Doc
  }))
  return { txnNumber: doc.get('n') as bigint, committed: doc.get('c') as boolean, at: doc.get('d') as BsonDate, statements }
}

export function writeRecord (writer: Writer, sessionKey: Buffer, record: SessionRecord): void {
  const s = record.statements.map(({ from, to, outcome }) => docOf({ f: int(from), t: int(to), o: outcome }))
  writer.put(recordKey(sessionKey), encodeDocument(docOf({ n: record.txnNumber, c: record.committed, d: record.at, s })))
}

/** Removes records of sessions that have long ended, some at a time. @returns how many */
export function forgetRecords (writer: Writer, olderThan: number, atMost: number): number {
  const old: Buffer[] = []
  for (const { key, value } of writer.range({ start: Buffer.from([PREFIX]), end: END })) {
    if ((Doc.raw(value).get('d') as BsonDate).ms < olderThan) old.push(key)
    if (old.length === atMost) break
  }
  for (const key of old) writer.delete(key)
  return old.length
}

const same = (a: Doc, b: Doc): boolean => a === b || encodeDocument(a).equals(encodeDocument(b))

/** One attempt at a retryable write: what earlier attempts did is answered, what this one does is noted. */
export class RetryAttempt {
  readonly retried: number[] = []
  readonly #statements: StatementOutcome[]
  #changed = false

  constructor (readonly txnNumber: bigint, earlier: readonly StatementOutcome[]) {
    this.#statements = [...earlier]
  }

  outcome (statement: number): Doc | undefined {
    const known = this.#statements.find(s => s.from <= statement && statement <= s.to)
    if (known !== undefined) this.retried.push(statement)
    return known?.outcome
  }

  note (statement: number, outcome: Doc): void {
    this.#changed = true
    const last = this.#statements.at(-1)
    if (last !== undefined && last.to + 1 === statement && same(last.outcome, outcome)) {
      this.#statements[this.#statements.length - 1] = { ...last, to: statement }
    } else this.#statements.push({ from: statement, to: statement, outcome })
  }

  /** @returns the record as written, undefined when nothing new happened */
  save (writer: Writer, sessionKey: Buffer, at: BsonDate): SessionRecord | undefined {
    if (!this.#changed) return undefined
    const record = { txnNumber: this.txnNumber, committed: false, at, statements: this.#statements }
    writeRecord(writer, sessionKey, record)
    return record
  }
}
