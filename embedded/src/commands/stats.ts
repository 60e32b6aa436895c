import type { Collection } from '../catalog/types.js'
import type { Reader } from '../storage/index.js'
import { count, docOf, int, numeric } from '../values/build.js'
import { badValue } from '../values/errors.js'
import { Doc, isNumber } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import type { Engine } from './engine.js'

export function scaleOf (value: Maybe): number {
  if (value === undefined || value === null) return 1
  const scale = isNumber(value) ? Math.trunc(numeric(value)) : NaN
  if (!(scale >= 1)) throw badValue('scale has to be a number > 0')
  return scale
}

/** The storage figures of a collection; what lmdb does not keep apart is estimated by the bytes of the documents. */
export function storageStats (engine: Engine, reader: Reader, collection: Collection, spec: Doc): Doc {
  const scale = scaleOf(spec.get('scale'))
  const documents = engine.catalog.count(reader, collection)
  const bytes = engine.catalog.dataSize(reader, collection)
  const scaled = (n: number): ReturnType<typeof count> => count(Math.floor(n / scale))
  return docOf({
    size: scaled(bytes),
    count: count(documents),
    avgObjSize: documents === 0 ? undefined : int(Math.floor(bytes / documents)),
    numOrphanDocs: int(0),
    storageSize: scaled(bytes),
    totalIndexSize: scaled(0),
    totalSize: scaled(bytes),
    indexSizes: Doc.of(collection.indexes.map(index => [index.name, scaled(0)])),
    capped: collection.capped !== undefined,
    max: collection.capped?.max === undefined ? undefined : count(collection.capped.max),
    maxSize: collection.capped === undefined ? undefined : scaled(collection.capped.size),
    nindexes: int(collection.indexes.length),
    indexBuilds: [],
    scaleFactor: int(scale)
  })
}
