import { Collation } from '../values/collation.js'
import { numeric } from '../values/build.js'
import { Doc, isNumber } from '../values/types.js'
import type { Index, IndexField, IndexFlags, TextSpec } from './types.js'

/** An index from its stored specification. */
export function indexOf (id: number, spec: Doc, flags: IndexFlags): Index {
  const key = spec.get('key') as Doc
  const expire = spec.get('expireAfterSeconds')
  const collation = spec.get('collation')
  const partialFilter = spec.get('partialFilterExpression')
  const isId = spec.get('name') === '_id_'
  return {
    id,
    name: spec.get('name') as string,
    spec,
    key,
    fields: fieldsOf(key),
    isId,
    unique: isId || spec.get('unique') === true,
    sparse: spec.get('sparse') === true,
    hidden: spec.get('hidden') === true,
    expireAfterSeconds: expire === undefined ? undefined : numeric(expire),
    partialFilter: partialFilter instanceof Doc ? partialFilter : undefined,
    collation: collation instanceof Doc ? Collation.parse(collation) : undefined,
    text: key.has('_fts') ? textOf(spec, key) : undefined,
    flags
  }
}

const fieldsOf = (key: Doc): IndexField[] => [...key].map(([path, kind]) => ({
  path,
  parts: path.split('.'),
  direction: isNumber(kind) && numeric(kind) < 0 ? -1 : 1,
  hashed: kind === 'hashed'
}))

function textOf (spec: Doc, key: Doc): TextSpec {
  const names = [...key.keys()]
  const at = names.indexOf('_fts')
  const weights = spec.get('weights')
  return {
    prefix: names.slice(0, at),
    suffix: names.slice(at + 2),
    weights: new Map(weights instanceof Doc ? [...weights].map(([path, weight]) => [path, numeric(weight)]) : []),
    defaultLanguage: String(spec.get('default_language') ?? 'english'),
    languageOverride: String(spec.get('language_override') ?? 'language')
  }
}
