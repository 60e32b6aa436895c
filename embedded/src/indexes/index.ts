import type { Collection, Index } from '../catalog/types.js'
import { equal } from '../values/order.js'
import type { Doc } from '../values/types.js'

export { createIndexes, dropIndexes } from './create.js'
export { insertRecord, readRecord, removeRecord, replaceRecord } from './records.js'
export { parseIndexSpec } from './spec.js'
export { validateCollection } from './validate.js'

/** The documents of listIndexes. */
export const describeIndexes = (collection: Collection): Doc[] => collection.indexes.map(index => index.spec)

/** An index by name or key pattern, as hints give it. */
export const findIndex = (collection: Collection, hint: string | Doc): Index | undefined =>
  collection.indexes.find(index => typeof hint === 'string' ? index.name === hint : equal(index.key, hint))
