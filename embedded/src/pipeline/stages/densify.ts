import { nullish, splitPath } from '../../expressions/index.js'
import { MongoError, failedToParse } from '../../values/errors.js'
import { compare, hashKey, typeName } from '../../values/order.js'
import { Doc, Int32, isDoc } from '../../values/types.js'
import type { Value } from '../../values/types.js'
import { getNested, setNested } from '../paths.js'
import { parseFields, stringArray } from '../specs.js'
import { explained } from '../stage.js'
import type { StageParser } from '../stage.js'
import { Range } from './densify-range.js'
import type { Point } from './densify-range.js'
import { parseSort } from './sort.js'

const RULES = new Map([
  ['field', { types: ['string'], required: true }], ['partitionByFields', { types: ['array'] }], ['range', { types: ['object'], required: true }]
])
const MAX_DOCUMENTS = 500_000
const OFTEN = 1023

export const parseDensify: StageParser = (spec, scope, name) => {
  if (!isDoc(spec)) throw failedToParse(`The $densify stage specification must be an object, found ${typeName(spec)}`)
  const fields = parseFields('$densify', spec, RULES)
  const range = Range.parse(fields.get('range')!)
  const partitions = fields.has('partitionByFields') ? stringArray('$densify.partitionByFields', fields.get('partitionByFields')!) : []
  const field = fields.get('field') as string
  const paths = partitions.map(splitPath)
  const parts = splitPath(field)
  if (range.bounds === 'partition' && partitions.length === 0) {
    throw new MongoError(5733408, "One cannot specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. " +
      "You may have meant to specify 'full' bounds.")
  }
  const sortBy = [...(range.bounds === 'full' ? [] : partitions), field]
  const sort = parseSort(Doc.of(sortBy.map(path => [path, Int32.of(1)])), scope, name)
  return [sort, {
    name: '$densify',
    reads: [field, ...partitions],
    closes: false,
    run: (source: Iterable<Doc>) => new Densifier(range, parts, paths, () => scope.context.checkInterrupt()).run(source),
    explain: () => explained('$_internalDensify', spec)
  }].flat()
}

/** A partition, and the last point of its steps that is there. */
type Partition = { readonly fields: Doc, last: Point }

class Densifier {
  readonly #partitions = new Map<string, Partition>()
  #first: Point | undefined
  #greatest: Point | undefined
  #generated = 0

  constructor (
    private readonly range: Range, private readonly field: readonly string[], private readonly paths: readonly (readonly string[])[],
    private readonly checkInterrupt: () => void
  ) {}

  * run (source: Iterable<Doc>): Iterable<Doc> {
    for (const doc of source) {
      const value = getNested(doc, this.field)
      if (value === undefined || nullish(value)) yield doc
      else yield * this.#before(doc, this.range.point(value))
    }
    yield * this.#rest()
  }

  /** The document, after those that its partition lacks. */
  * #before (doc: Doc, point: Point): Iterable<Doc> {
    const { range } = this
    this.#first ??= point
    this.#greatest = point
    const partition = this.#partitionOf(doc, point)
    const { bounds } = range
    const explicit = typeof bounds === 'string' ? undefined : bounds
    if (explicit !== undefined && compare(point, explicit.low) <= 0) {
      if (compare(point, explicit.low) === 0) partition.last = point
    } else {
      const end = explicit !== undefined && compare(explicit.high, point) < 0 ? explicit.high : point
      yield * this.#fill(partition, end)
      if (compare(range.next(partition.last), point) === 0) partition.last = point
    }
    yield doc
  }

  #partitionOf (doc: Doc, point: Point): Partition {
    const fields = this.#fieldsOf(doc)
    const key = hashKey(fields)
    let partition = this.#partitions.get(key)
    if (partition === undefined) {
      partition = { fields, last: this.#start(point) }
      this.#partitions.set(key, partition)
    }
    return partition
  }

  /** The point before the first one that a new partition must have. */
  #start (point: Point): Point {
    const { bounds } = this.range
    if (typeof bounds !== 'string') return this.range.previous(bounds.low)
    return bounds === 'full' && compare(point, this.#first!) !== 0 ? this.range.previous(this.#first!) : point
  }

  #fieldsOf (doc: Doc): Doc {
    let fields = Doc.of()
    for (const path of this.paths) {
      const value = getNested(doc, path)
      if (value !== undefined) fields = setNested(fields, path, value)
    }
    return fields
  }

  * #fill (partition: Partition, end: Point): Iterable<Doc> {
    for (let next = this.range.next(partition.last); compare(next, end) < 0; next = this.range.next(next)) {
      partition.last = next
      yield this.#generate(partition.fields, next)
    }
  }

  #generate (fields: Doc, point: Value): Doc {
    if (++this.#generated > MAX_DOCUMENTS) {
      throw new MongoError(5897900, `Generated ${this.#generated} documents in $densify, which is over the limit of ${MAX_DOCUMENTS}. ` +
        "Increase the 'internalQueryMaxAllowedDensifyDocs' parameter to allow more generated documents")
    }
    if ((this.#generated & OFTEN) === 0) this.checkInterrupt()
    return setNested(fields, this.field, point)
  }

  /** What is missing behind the last document of each partition. */
  * #rest (): Iterable<Doc> {
    const { bounds } = this.range
    if (bounds === 'partition' || (bounds === 'full' && this.paths.length === 0)) return
    if (typeof bounds !== 'string' && this.paths.length === 0 && this.#partitions.size === 0) {
      this.#partitionOf(Doc.of(), bounds.low).last = bounds.low
      if (compare(bounds.low, bounds.high) < 0) yield this.#generate(Doc.of(), bounds.low)
    }
    const end = typeof bounds === 'string' ? this.#fullEnd() : bounds.high
    if (end !== undefined) for (const partition of this.#partitions.values()) yield * this.#fill(partition, end)
  }

  /** One step beyond the greatest point when it is on the steps of all, so that every partition gets it. */
  #fullEnd (): Point | undefined {
    if (this.#greatest === undefined) return undefined
    return this.range.reaches(this.#greatest, this.#first!) ? this.range.next(this.#greatest) : this.#greatest
  }
}
