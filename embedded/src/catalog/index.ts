export { Catalog } from './catalog.js'
export type { CollModChanges } from './coll-mod.js'
export type * from './types.js'
