import { closeSync, constants, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'

export type JournalOp = { readonly key: Buffer, readonly value: Buffer | undefined }

const MAGIC = 0x314a4d45
const HEADER_BYTES = 24
const INITIAL_BYTES = 1024 * 1024
/** A file that one large write has made longer than this is cut. */
const MOST_KEPT_BYTES = 16 * 1024 * 1024
const PUT = 1
const DELETE = 0

/**
 * The writes since lmdb's last commit, one record for each flush. A commit of lmdb writes some ten pages and waits for the
 * disk twice; a record is short and waits once. Records are numbered: after a commit the file is written from its start
 * again, and what is left of older records is known by its numbers.
 */
export class Journal {
  readonly #file: number
  #next: number
  #at = 0
  /** header and operations of the record that the next flush writes */
  #record = Buffer.allocUnsafe(64 * 1024)
  #length = HEADER_BYTES

  /** @param last the number of the last record whose writes lmdb has */
  constructor (path: string, last: number) {
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
    this.#next = last + 1
    // Space that is there already spares each flush a change of the file's size.
    const { size } = fstatSync(this.#file)
    if (size < INITIAL_BYTES) {
      writeSync(this.#file, Buffer.alloc(INITIAL_BYTES - size), 0, INITIAL_BYTES - size, size)
      fsyncSync(this.#file)
    }
  }

  get lastNumber (): number {
    return this.#next - 1
  }

  /** The bytes that the records since the last commit take. */
  get size (): number {
    return this.#at
  }

  /** A place in the unwritten record to cut it back to. */
  get mark (): number {
    return this.#length
  }

  cut (mark: number): void {
    this.#length = mark
  }

  put (key: Buffer, value: Buffer): void {
    this.#reserve(7 + key.length + value.length)
    this.#head(PUT, key, value.length)
    this.#length += value.copy(this.#record, this.#length)
  }

  delete (key: Buffer): void {
    this.#reserve(7 + key.length)
    this.#head(DELETE, key, 0)
  }

  #head (kind: number, key: Buffer, valueLength: number): void {
    const record = this.#record
    const at = this.#length
    record[at] = kind
    record.writeUInt16LE(key.length, at + 1)
    record.writeUInt32LE(valueLength, at + 3)
    this.#length = at + 7 + key.copy(record, at + 7)
  }

  #reserve (bytes: number): void {
    if (this.#length + bytes <= this.#record.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#record.length * 2, this.#length + bytes))
    this.#record.copy(grown, 0, 0, this.#length)
    this.#record = grown
  }

  /** Writes what was noted and waits for the disk. */
  flush (): void {
    if (this.#length === HEADER_BYTES) return
    const record = this.#record
    record.writeUInt32LE(MAGIC, 0)
    record.writeUInt32LE(this.#length - HEADER_BYTES, 4)
    record.writeDoubleLE(this.#next, 8)
    record.writeUInt32LE(checksum(record, this.#length), 16)
    writeAll(this.#file, record, this.#length, this.#at)
    fdatasyncSync(this.#file)
    this.#at += this.#length
    this.#next++
    this.#length = HEADER_BYTES
    if (record.length > 4 * 1024 * 1024) this.#record = Buffer.allocUnsafe(64 * 1024)
  }

  /** lmdb has everything: the next record goes to the start. */
  reset (): void {
    if (this.#at > MOST_KEPT_BYTES) ftruncateSync(this.#file, INITIAL_BYTES)
    this.#at = 0
    this.#length = HEADER_BYTES
  }

  /** The writes behind lmdb's last commit; a record that is not whole was never acknowledged. */
  * recover (): IterableIterator<JournalOp> {
    for (;;) {
      const record = this.#read()
      if (record === undefined) return
      yield * operations(record)
      this.#at += record.length
      this.#next++
    }
  }

  #read (): Buffer | undefined {
    const header = Buffer.alloc(HEADER_BYTES)
    if (readSync(this.#file, header, 0, HEADER_BYTES, this.#at) < HEADER_BYTES) return undefined
    const length = header.readUInt32LE(4) + HEADER_BYTES
    if (header.readUInt32LE(0) !== MAGIC || header.readDoubleLE(8) !== this.#next || length > fstatSync(this.#file).size) return undefined
    const record = Buffer.alloc(length)
    if (readSync(this.#file, record, 0, length, this.#at) < length) return undefined
    return header.readUInt32LE(16) === checksum(record, length) ? record : undefined
  }

  close (): void {
    closeSync(this.#file)
  }
}

/** Of the number and the operations. */
const checksum = (record: Buffer, length: number): number => crc32(record.subarray(HEADER_BYTES, length), crc32(record.subarray(4, 16)))

function writeAll (file: number, bytes: Buffer, length: number, position: number): void {
  for (let done = 0; done < length;) done += writeSync(file, bytes, done, length - done, position + done)
}

function * operations (record: Buffer): IterableIterator<JournalOp> {
  for (let at = HEADER_BYTES; at < record.length;) {
    const keyAt = at + 7
    const valueAt = keyAt + record.readUInt16LE(at + 1)
    const end = valueAt + record.readUInt32LE(at + 3)
    yield { key: record.subarray(keyAt, valueAt), value: record[at] === PUT ? record.subarray(valueAt, end) : undefined }
    at = end
  }
}
