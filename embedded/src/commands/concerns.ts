import { docOf, numeric } from '../values/build.js'
import { failedToParse, MongoError, notSupported, typeMismatch } from '../values/errors.js'
import { typeName } from '../values/order.js'
import { Doc, Int32, isNumber, Timestamp } from '../values/types.js'
import type { Maybe } from '../values/types.js'
import { checkFields, Fields, fieldTable } from './fields.js'

const READ_CONCERN = fieldTable({ level: 'string', afterClusterTime: 'any', atClusterTime: 'any', provenance: 'string' })
const LEVELS: ReadonlySet<string> = new Set(['local', 'majority', 'linearizable', 'available', 'snapshot'])

/** Every read here sees the newest committed state, which satisfies each level; the level itself is returned. */
export function parseReadConcern (spec: Maybe): string | undefined {
  if (spec === undefined || spec === null) return undefined
  if (!(spec instanceof Doc)) throw typeMismatch(`"readConcern" had the wrong type. Expected object, found ${typeName(spec)}`)
  checkFields(spec, READ_CONCERN, 'readConcern')
  const level = new Fields(spec, 'readConcern').string('level')
  if (level !== undefined && !LEVELS.has(level)) {
    throw failedToParse("readConcern.level must be either 'local', 'majority', 'linearizable', 'available', or 'snapshot'")
  }
  for (const name of ['afterClusterTime', 'atClusterTime']) {
    const time = spec.get(name)
    if (time === undefined || time instanceof Timestamp) continue
    throw typeMismatch(`BSON field 'readConcern.${name}' is the wrong type '${typeName(time)}', expected type 'timestamp'`)
  }
  if (spec.has('atClusterTime') && level !== 'snapshot') {
    throw new MongoError(72, `readConcern level must be 'snapshot' when atClusterTime is specified, found '${level ?? 'local'}'`)
  }
  return level
}

const WRITE_CONCERN = fieldTable({ w: 'any', j: 'flag', fsync: 'flag', wtimeout: 'number', provenance: 'string' })

/** @returns the writeConcernError of a concern that one node can never satisfy, for the reply of a write that was done all the same */
export function parseWriteConcern (spec: Maybe): Doc | undefined {
  if (spec === undefined || spec === null) return undefined
  if (!(spec instanceof Doc)) throw typeMismatch(`BSON field 'writeConcern' is the wrong type '${typeName(spec)}', expected type 'object'`)
  checkFields(spec, WRITE_CONCERN, 'writeConcern')
  const w = spec.get('w')
  if (w === undefined || w === null || w === 'majority') return undefined
  if (typeof w === 'string') {
    return concernError(79, 'UnknownReplWriteConcern', `No write concern mode named '${w}' found in replica set configuration`)
  }
  if (w instanceof Doc) throw notSupported('writeConcern.w with tags')
  if (!isNumber(w)) throw failedToParse(`w has to be a number, string, or object; found: ${typeName(w)}`)
  const n = numeric(w)
  if (!(n >= 0 && n <= 50)) throw failedToParse(`w has to be a non-negative number and not greater than 50; found: ${n}`)
  if (n > 1) return concernError(100, 'UnsatisfiableWriteConcern', 'Not enough data-bearing nodes')
  return undefined
}

const concernError = (code: number, codeName: string, errmsg: string): Doc => docOf({ code: Int32.of(code), codeName, errmsg, errInfo: Doc.of() })
