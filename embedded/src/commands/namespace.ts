import type { Namespace } from '../catalog/types.js'
import { badValue, MongoError } from '../values/errors.js'
import { typeName } from '../values/order.js'
import type { Maybe } from '../values/types.js'

const BAD_DB_CHARS = /[/\\. "$\0]/

export function checkDb (db: string): void {
  if (db.length === 0 || Buffer.byteLength(db) > 63 || BAD_DB_CHARS.test(db)) throw new MongoError(73, `Invalid database name: '${db}'`)
}

/** The namespace of a command whose first field names a collection. */
export function namespaceOf (db: string, coll: Maybe): Namespace {
  if (typeof coll !== 'string') throw badValue(`collection name has invalid type ${typeName(coll)}`)
  checkDb(db)
  if (coll === '' || coll.startsWith('.') || coll.includes('\0')) throw new MongoError(73, `Invalid namespace specified '${db}.${coll}'`)
  return { db, coll }
}

export const nameOf = (ns: Namespace): string => `${ns.db}.${ns.coll}`

/** What may be the target of a write or of a create. */
export function checkWritable (ns: Namespace): Namespace {
  if (ns.coll.startsWith('system.') || ns.coll.includes('.system.')) throw new MongoError(73, `Invalid system namespace: ${nameOf(ns)}`)
  if (ns.coll.includes('$')) throw new MongoError(73, `Invalid collection name: ${ns.coll}`)
  if (Buffer.byteLength(nameOf(ns)) > 255) {
    throw new MongoError(73, `Fully qualified namespace is too long. Namespace: ${nameOf(ns)} Max: 255`)
  }
  return ns
}

export function parseFullName (name: string): Namespace {
  const dot = name.indexOf('.')
  if (dot < 1) throw new MongoError(73, `Invalid namespace specified '${name}'`)
  return namespaceOf(name.slice(0, dot), name.slice(dot + 1))
}
