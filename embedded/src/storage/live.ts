import { CurrentReader } from './lmdb-read.js'
import type { Database } from './lmdb-read.js'
import { ParkableReader } from './parkable.js'

/** A snapshot that reads from the open write transaction, as long as nothing further is written. */
export class LiveSnapshot extends ParkableReader {
  constructor (db: Database, private readonly onRelease: (snapshot: LiveSnapshot) => void) {
    super(Object.assign(new CurrentReader(db), { release: () => {} }))
  }

  override release (): void {
    super.release()
    this.onRelease(this)
  }
}
