import type { Snapshot, Storage } from './types.js'

export type * from './types.js'
export { KEYSPACE } from './types.js'

/** @throws Error with advice when the folder holds an unknown format or is corrupt; it is never overwritten */
export declare function openStorage (where: { dir: string } | { memory: true }): Storage

/**
 * A reader whose snapshot can be let go and taken anew between the batches of a cursor: ranges that are under way go on
 * behind their last key, as MongoDB's plans do after a yield.
 */
export declare class ParkableReader implements Snapshot {
  constructor (snapshot: Snapshot)
  get: Snapshot['get']
  range: Snapshot['range']
  totals: Snapshot['totals']
  park (): void
  resume (snapshot: Snapshot): void
  release (): void
}
