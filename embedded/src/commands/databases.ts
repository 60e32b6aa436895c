import type { Reader } from '../storage/index.js'
import { count, docOf, int } from '../values/build.js'
import { Double } from '../values/types.js'
import type { Doc } from '../values/types.js'
import { filtered } from './collections.js'
import type { Command } from './command.js'
import { fieldTable } from './fields.js'
import { checkDb, nameOf, namespaceOf } from './namespace.js'
import type { Operation } from './operation.js'
import { scaleOf, storageStats } from './stats.js'

type Figures = { collections: number, views: number, objects: number, bytes: number, indexes: number }

function figuresOf (op: Operation, reader: Reader, db: string): Figures {
  const { catalog } = op.engine
  const figures: Figures = { collections: 0, views: 0, objects: 0, bytes: 0, indexes: 0 }
  for (const collection of catalog.collections(reader, db)) {
    if (collection.type === 'view') {
      figures.views++
      continue
    }
    figures.collections++
    figures.indexes += collection.indexes.length
    figures.objects += catalog.count(reader, collection)
    figures.bytes += catalog.dataSize(reader, collection)
  }
  return figures
}

export const dbStatsCommand: Command = {
  name: 'dbStats',
  aliases: ['dbstats'],
  fields: fieldTable({ scale: 'number', freeStorage: 'any' }),
  run (op) {
    checkDb(op.db)
    const scale = scaleOf(op.body.get('scale'))
    return op.read(reader => {
      const { collections, views, objects, bytes, indexes } = figuresOf(op, reader, op.db)
      const size = new Double(Math.floor(bytes / scale))
      return docOf({
        db: op.db,
        collections: count(collections),
        views: count(views),
        objects: count(objects),
        avgObjSize: new Double(objects === 0 ? 0 : bytes / objects),
        dataSize: size,
        storageSize: size,
        indexes: count(indexes),
        indexSize: new Double(0),
        totalSize: size,
        scaleFactor: int(scale)
      })
    })
  }
}

export const listDatabasesCommand: Command = {
  name: 'listDatabases',
  adminOnly: true,
  fields: fieldTable({ filter: 'object', nameOnly: 'flag', authorizedDatabases: 'bool' }),
  run (op) {
    return op.read(reader => {
      const nameOnly = op.fields.flag('nameOnly')
      let total = 0
      const all = op.engine.catalog.databases(reader).map(name => {
        if (nameOnly) return docOf({ name })
        const { bytes, collections } = figuresOf(op, reader, name)
        total += bytes
        return docOf({ name, sizeOnDisk: BigInt(bytes), empty: collections === 0 })
      })
      const databases = filtered(op, all)
      return nameOnly ? docOf({ databases }) : docOf({ databases, totalSize: BigInt(total), totalSizeMb: BigInt(Math.floor(total / 1048576)) })
    })
  }
}

export const collStatsCommand: Command = {
  name: 'collStats',
  aliases: ['collstats'],
  fields: fieldTable({ collStats: 'any', collstats: 'any', scale: 'number' }),
  run (op) {
    const ns = namespaceOf(op.db, op.body.get('collStats') ?? op.body.get('collstats'))
    return op.read((reader): Doc => {
      const collection = op.collection(reader, ns)
      const head = docOf({ ns: nameOf(ns) })
      if (collection === undefined) return head.set('size', int(0)).set('count', int(0)).set('nindexes', int(0))
      for (const [key, value] of storageStats(op.engine, reader, collection, op.body)) head.set(key, value)
      return head
    })
  }
}
