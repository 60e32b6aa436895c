import { MongoError } from '../values/errors.js'
import { Binary, Decimal128, Doc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'

export const MEMORY_LIMIT = 100 * 1024 * 1024
const VALUE = 16
const FIELD = 40

/** About the memory that a value takes, for the limits of blocking stages. */
export function approximateSize (value: Maybe): number {
  if (typeof value === 'string') return VALUE + value.length
  if (value instanceof Doc) return sizeOfDocument(value)
  if (Array.isArray(value)) return value.reduce<number>((sum, element: Value) => sum + approximateSize(element), VALUE)
  if (value instanceof Binary) return VALUE + value.bytes.length
  return value instanceof Decimal128 ? VALUE * 2 : VALUE
}

function sizeOfDocument (doc: Doc): number {
  if (doc.rawBytes !== undefined) return FIELD + doc.rawBytes.length
  let size = FIELD
  for (const [key, value] of doc) size += FIELD + key.length + approximateSize(value)
  return size
}

/** The memory of one blocking stage. There is no spilling to disk here: beyond the limit it fails as MongoDB does without disk use. */
export class Memory {
  used = 0

  constructor (private readonly exceeded: () => MongoError, private readonly limit = MEMORY_LIMIT) {}

  grow (bytes: number): void {
    this.used += bytes
    if (this.used > this.limit) throw this.exceeded()
  }
}

export const groupMemory = (): Memory => new Memory(() =>
  new MongoError(292, "Exceeded memory limit for $group, but didn't allow external sort. Pass allowDiskUse:true to opt in."))

export const sortMemory = (): Memory => new Memory(() =>
  new MongoError(292, `Sort exceeded memory limit of ${MEMORY_LIMIT} bytes, but did not opt in to external sorting.`))

/** The own limit of an accumulator that collects values, which no disk use lifts. */
export const accumulatorMemory = (name: string): Memory => new Memory(() =>
  new MongoError(146, `${name} used too much memory and cannot spill to disk. Memory limit: ${MEMORY_LIMIT} bytes`))
