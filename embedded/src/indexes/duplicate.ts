import type { Collection, Index } from '../catalog/types.js'
import { MongoError } from '../values/errors.js'
import { display } from '../values/format.js'
import { Doc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { KeyValues } from './key-values.js'

/** With a collation the server only has the sort key of a text: it shows that. */
function shown (index: Index, value: Maybe, prefix: string): Value {
  if (typeof value === 'string' && index.collation !== undefined) return prefix + index.collation.key(value).toString('hex')
  return value ?? null
}

export function duplicateKey (collection: Collection, index: Index, values: KeyValues): MongoError {
  const keyOf = (prefix: string): Doc => Doc.of(index.fields.map(({ path }, i): [string, Value] => [path, shown(index, values[i], prefix)]))
  const collation = index.collation === undefined ? '' : ` collation: ${display(index.collation.toDoc())}`
  return new MongoError(11000, `E11000 duplicate key error collection: ${collection.name} index: ${index.name}${collation} dup key: ${display(keyOf('0x'))}`,
    { fields: { keyPattern: index.key, keyValue: keyOf('') } })
}
