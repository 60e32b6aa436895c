import { Collation } from '../values/collation.js'
import { encodeDocument } from '../values/bson-write.js'
import { docOf, int, numeric } from '../values/build.js'
import { Binary, Doc } from '../values/types.js'
import type { FlagTable } from './flags.js'
import { indexOf } from './index-definition.js'
import type { Collection, Index, Namespace, ValidationAction, ValidationLevel } from './types.js'

/** What is stored of a collection or view; the rest of a Collection follows from it. */
export type Definition = {
  readonly id: number
  readonly ns: Namespace
  readonly uuid: Buffer
  readonly options: Doc
  readonly indexes: readonly { readonly id: number, readonly spec: Doc }[]
}

export const encodeDefinition = ({ id, uuid, options, indexes }: Definition): Buffer => encodeDocument(docOf({
  id: int(id),
  uuid: new Binary(uuid, 4),
  options,
  indexes: indexes.map(index => docOf({ id: int(index.id), spec: index.spec }))
}))

export function decodeDefinition (ns: Namespace, bytes: Buffer): Definition {
  const doc = Doc.raw(bytes)
  return {
    id: numeric(doc.get('id')),
    ns,
    uuid: Buffer.from((doc.get('uuid') as Binary).bytes),
    options: doc.get('options') as Doc,
    indexes: (doc.get('indexes') as Doc[]).map(index => ({ id: numeric(index.get('id')), spec: index.get('spec') as Doc }))
  }
}

export const definitionOf = ({ id, ns, uuid, options, indexes }: Collection): Definition =>
  ({ id, ns, uuid, options, indexes: indexes.map(index => ({ id: index.id, spec: index.spec })) })

export function collectionOf (definition: Definition, flags: FlagTable): Collection {
  const { id, ns, uuid, options } = definition
  const viewOn = options.get('viewOn')
  const validator = options.get('validator')
  const collation = options.get('collation')
  const indexes: Index[] = definition.indexes.map(index => indexOf(index.id, index.spec, flags.of(index.id)))
  return {
    id,
    ns,
    name: `${ns.db}.${ns.coll}`,
    type: viewOn === undefined ? 'collection' : 'view',
    uuid,
    options,
    indexes,
    collation: collation instanceof Doc ? Collation.parse(collation) : undefined,
    capped: cappedOf(options),
    validator: validator instanceof Doc ? validator : undefined,
    validationLevel: (options.get('validationLevel') ?? 'strict') as ValidationLevel,
    validationAction: (options.get('validationAction') ?? 'error') as ValidationAction,
    view: typeof viewOn === 'string' ? { on: viewOn, pipeline: options.get('pipeline') as Doc[] } : undefined
  }
}

function cappedOf (options: Doc): Collection['capped'] {
  if (options.get('capped') !== true) return undefined
  const max = options.get('max')
  return { size: numeric(options.get('size')), max: max === undefined ? undefined : numeric(max) }
}
