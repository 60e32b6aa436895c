import { MongoError, notSupported } from '../../values/errors.js'
import { typeName } from '../../values/order.js'
import { isDoc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { parseFields } from '../specs.js'
import { explained } from '../stage.js'
import type { StageParser } from '../stage.js'
import type { Namespace } from '../types.js'

const INTERNAL = new Set(['admin', 'config', 'local'])
const RULES = new Map([['db', { types: ['string'], required: true }], ['coll', { types: ['string'], required: true }], ['timeseries', { types: ['object'] }]])

export const parseOut: StageParser = (spec, scope) => {
  const into = readTarget(spec, scope.ns.db)
  if (into.db === '' || into.coll === '') throw new MongoError(73, `Invalid $out target namespace, ${into.db}.${into.coll}`)
  if (into.coll.startsWith('system.')) throw new MongoError(17385, `Can't $out to special collection: ${into.coll}`)
  if (INTERNAL.has(into.db)) throw new MongoError(31321, `Can't $out to internal database: ${into.db}`)
  return {
    name: '$out',
    reads: 'all',
    closes: false,
    role: { kind: 'write', stage: '$out', into },
    * run (source) {
      scope.context.writes.replaceCollection(into, source)
    },
    explain: () => explained('$out', spec)
  }
}

function readTarget (spec: Value, db: string): Namespace {
  if (typeof spec === 'string') return { db, coll: spec }
  if (!isDoc(spec)) throw new MongoError(16990, `$out only supports a string or object argument, but found ${typeName(spec)}`)
  const fields = parseFields('$out', spec, RULES)
  if (fields.has('timeseries')) throw notSupported('a time series collection')
  return { db: fields.get('db') as string, coll: fields.get('coll') as string }
}
