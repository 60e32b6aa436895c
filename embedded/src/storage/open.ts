import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LmdbStorage } from './lmdb.js'
import { KEYSPACE } from './types.js'
import type { Storage } from './types.js'

const DATA_FILE = 'data.lmdb'
const JOURNAL_FILE = 'journal.log'
const FORMAT_KEY = Buffer.from([KEYSPACE.format])
/** Goes up with every change of keys or values that an older engine would misread. */
const FORMAT = Buffer.from('embedded-mongo 1')

/** @throws Error with advice when the folder holds an unknown format or is corrupt; it is never overwritten */
export function openStorage (where: { dir: string } | { memory: true }): Storage {
  return 'dir' in where ? openFolder(where.dir) : openMemory()
}

function openFolder (dir: string): Storage {
  mkdirSync(dir, { recursive: true })
  const path = join(dir, DATA_FILE)
  const journal = join(dir, JOURNAL_FILE)
  if (existsSync(path)) checkFile(dir, path)
  else if (existsSync(journal)) throw damaged(dir, `${DATA_FILE} is missing`)
  let storage: LmdbStorage
  try {
    storage = new LmdbStorage(path, journal)
  } catch (error) {
    throw damaged(dir, error instanceof Error ? error.message : String(error))
  }
  return checkFormat(dir, storage)
}

/** The same engine on a file that has no name any more: it goes with the process, whatever happens. */
function openMemory (): Storage {
  const dir = mkdtempSync(join(tmpdir(), 'embedded-mongo-'))
  let storage: LmdbStorage
  try {
    storage = new LmdbStorage(join(dir, DATA_FILE), undefined)
  } catch (error) {
    rmSync(dir, { recursive: true, force: true })
    throw error
  }
  if (process.platform !== 'win32') rmSync(dir, { recursive: true, force: true })
  else storage.onClose(() => rmSync(dir, { recursive: true, force: true }))
  return storage
}

const damaged = (dir: string, why: string): Error => new Error(
  `the data folder ${dir} is damaged (${why}); nothing in it was changed. Restore the folder from a copy, or move it away to start with an empty one`)

// lmdb's meta page: a header of 24 bytes, then magic, version, address, map size, and two tree roots of 48 bytes.
const MAGIC_AT = 24
const PAGE_SIZE_AT = 48
const LAST_PAGE_AT = 144
const META_BYTES = 168
const MAGIC = 0xbeefc0de

/** lmdb maps the file: a page that is missing at its end would end the process, not the call. */
function checkFile (dir: string, path: string): void {
  const { size } = statSync(path)
  const meta = Buffer.alloc(META_BYTES)
  const file = openSync(path, 'r')
  try {
    if (readSync(file, meta, 0, META_BYTES, 0) < META_BYTES) throw damaged(dir, `${DATA_FILE} is cut off`)
    if (meta.readUInt32LE(MAGIC_AT) !== MAGIC) throw damaged(dir, `${DATA_FILE} is not a data file of this engine`)
    const pageSize = meta.readUInt32LE(PAGE_SIZE_AT)
    if (pageSize < 256 || pageSize > 65536) throw damaged(dir, `${DATA_FILE} has no valid first page`)
    if (size < (lastPage(file, pageSize) + 1) * pageSize) throw damaged(dir, `${DATA_FILE} is cut off`)
  } finally {
    closeSync(file)
  }
}

function lastPage (file: number, pageSize: number): number {
  const meta = Buffer.alloc(META_BYTES)
  let last = 0
  for (const page of [0, 1]) {
    if (readSync(file, meta, 0, META_BYTES, page * pageSize) === META_BYTES && meta.readUInt32LE(MAGIC_AT) === MAGIC) {
      last = Math.max(last, Number(meta.readBigUInt64LE(LAST_PAGE_AT)))
    }
  }
  return last
}

function checkFormat (dir: string, storage: LmdbStorage): Storage {
  try {
    const snapshot = storage.snapshot()
    const found = snapshot.get(FORMAT_KEY)
    const { done } = snapshot.range({ start: Buffer.from([0]), end: Buffer.from([0xff]) }).next()
    snapshot.release()
    if (found !== undefined ? !found.equals(FORMAT) : done !== true) throw unknownFormat(dir, found)
    storage.recover(found === undefined ? { key: FORMAT_KEY, value: FORMAT } : undefined)
    return storage
  } catch (error) {
    storage.close().catch(() => {})
    throw error
  }
}

const unknownFormat = (dir: string, found: Buffer | undefined): Error => new Error(
  `the data folder ${dir} has the storage format '${found?.toString('latin1').slice(0, 40) ?? 'none'}', this engine knows '${FORMAT.toString()}'; nothing in it was ` +
  'changed. Use the version of embedded-mongo that wrote it, or another folder')
