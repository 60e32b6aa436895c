import { MongoError, badValue } from '../values/errors.js'
import { display } from '../values/format.js'
import { Doc } from '../values/types.js'
import type { BsonDate, Maybe, Timestamp, Value } from '../values/types.js'
import { ChangeLog } from './change-log.js'
import { NOOP, REMOVE, dotted } from './leaf.js'
import type { Leaf, Outcome, Place } from './leaf.js'
import { notViable } from './messages.js'
import { compareParts, indexOf, merged } from './tree.js'
import type { ArrayNode, ObjectNode, UpdateNode } from './tree.js'
import { checkDepth, checkNewField } from './validate.js'

const MAX_PADDING = 1500000

export type ApplyOptions = {
  readonly position: number | undefined
  readonly insert: boolean
  readonly now: BsonDate
  readonly timestamp: Timestamp
}

/** What is known of the way to a node. */
type Way = {
  readonly path: readonly string[]
  readonly inArray: boolean
  readonly arrayAbove: string | undefined
  /** set below a value that can have no such field */
  readonly blocked: (() => MongoError) | undefined
}

/** Applies a tree to one document: values are copied along the changed paths only. */
export class Application {
  readonly log = new ChangeLog()
  changed = false
  #merged = new Map<UpdateNode, Map<UpdateNode, UpdateNode>>()

  constructor (private readonly root: Doc, private readonly options: ApplyOptions) {}

  run (node: ObjectNode): Doc {
    const outcome = this.#document(node, this.root, { path: [], inArray: false, arrayAbove: undefined, blocked: undefined })
    return outcome === NOOP ? this.root : outcome
  }

  /** @param value undefined: nothing is there yet */
  #apply (node: UpdateNode, value: Maybe, way: Way): Outcome {
    switch (node.kind) {
      case 'leaf': return this.#leaf(node, value, way)
      case 'array': return this.#elements(node, value, way)
      case 'object': return this.#object(node, value, way)
    }
  }

  #object (node: ObjectNode, value: Maybe, way: Way): Outcome {
    if (Array.isArray(value)) return this.#array(node, value, way)
    if (value instanceof Doc) return this.#document(node, value, way)
    if (value !== undefined) return this.#blocked(node, value, way)
    const made = this.#document(node, Doc.of(), way)
    return made === NOOP || made.firstKey() === undefined ? NOOP : made
  }

  #document (node: ObjectNode, doc: Doc, way: Way): Doc | typeof NOOP {
    let out: Doc | undefined
    for (const [name, child] of this.#children(node, way)) {
      const current = (out ?? doc).get(name)
      const outcome = this.#child(child, current, { ...way, path: [...way.path, name], inArray: false })
      if (outcome === NOOP) continue
      out ??= doc.copy()
      if (outcome === REMOVE) out.delete(name)
      else out.set(name, outcome)
    }
    return out ?? NOOP
  }

  #array (node: ObjectNode, values: readonly Value[], way: Way): Outcome {
    let out: Value[] | undefined
    for (const [name, child] of this.#children(node, way)) {
      const outcome = this.#element(child, out ?? values, name, way)
      if (outcome === NOOP) continue
      out ??= values.slice()
      const index = indexOf(name)!
      while (out.length < index) out.push(null)
      out[index] = outcome === REMOVE ? null : outcome
    }
    return out ?? NOOP
  }

  #element (child: UpdateNode, values: readonly Value[], name: string, way: Way): Outcome {
    const path = [...way.path, name]
    const index = indexOf(name)
    const arrayAbove = way.path[way.path.length - 1]
    if (index === undefined) {
      const blocked = way.blocked ?? (() => notViable(path, path.length - 1, values as Value[]))
      return this.#child(child, undefined, { path, inArray: true, arrayAbove, blocked })
    }
    const outcome = this.#child(child, values[index], { path, inArray: true, arrayAbove, blocked: way.blocked })
    if (outcome !== NOOP && index - values.length > MAX_PADDING) throw new MongoError(34, `can't backfill more than ${MAX_PADDING} elements`)
    return outcome
  }

  /** Below a scalar: nothing can be created, and most operators say so. */
  #blocked (node: ObjectNode, value: Value, way: Way): typeof NOOP {
    for (const [name, child] of this.#children(node, way)) {
      const path = [...way.path, name]
      this.#apply(child, undefined, { ...way, path, inArray: false, blocked: way.blocked ?? (() => notViable(path, path.length - 1, value)) })
    }
    return NOOP
  }

  /** A field that comes into being is logged as a whole, whatever was done inside it. */
  #child (child: UpdateNode, value: Maybe, way: Way): Outcome {
    if (value !== undefined) return this.#apply(child, value, way)
    const outcome = this.log.silently(() => this.#apply(child, undefined, way))
    if (outcome !== NOOP && outcome !== REMOVE) {
      if (way.path.length === 1) checkNewField(way.path[0])
      this.log.set(way.path, outcome)
    }
    return outcome
  }

  /** The children in order; that of `$` joins the one of its index, or stands where its index belongs. */
  #children (node: ObjectNode, way: Way): [string, UpdateNode][] {
    const children = node.sorted()
    if (node.positional === undefined) return children
    if (this.options.position === undefined) throw badValue('The positional operator did not find the match needed from the query.')
    const name = String(this.options.position)
    const same = children.findIndex(([other]) => other === name)
    if (same >= 0) children[same] = [name, this.#merge(node.positional, children[same][1], [...way.path, name])]
    else children.push([name, node.positional])
    return children.sort(([a], [b]) => compareParts(a, b))
  }

  #merge (a: UpdateNode, b: UpdateNode, path: readonly string[]): UpdateNode {
    const known = this.#merged.get(a)?.get(b)
    if (known !== undefined) return known
    const node = merged(a, b, path)
    this.#merged.set(a, (this.#merged.get(a) ?? new Map<UpdateNode, UpdateNode>()).set(b, node))
    return node
  }

  #elements (node: ArrayNode, value: Maybe, way: Way): Outcome {
    if (value === undefined) throw badValue(`The path '${dotted(way.path)}' must exist in the document in order to apply array updates.`)
    const name = way.path[way.path.length - 1]
    if (!Array.isArray(value)) throw badValue(`Cannot apply array updates to non-array element ${name}: ${display(value)}`)
    const updates = value.map((element, i) => this.#updatesOf(node, element, [...way.path, String(i)]))
    const touched = updates.filter(update => update !== undefined).length
    const out = value.slice()
    const modified: number[] = []
    const run = (): void => updates.forEach((update, i) => {
      if (update === undefined) return
      const outcome = this.#apply(update, value[i], { path: [...way.path, String(i)], inArray: true, arrayAbove: name, blocked: way.blocked })
      if (outcome === NOOP) return
      out[i] = outcome === REMOVE ? null : outcome
      modified.push(i)
    })
    if (touched <= 1) run()
    else this.#logElements(run, modified, out, way.path)
    return modified.length === 0 ? NOOP : out
  }

  /** Of several elements that were touched, the one or all of them are logged. */
  #logElements (run: () => void, modified: readonly number[], out: Value[], path: readonly string[]): void {
    this.log.silently(run)
    if (modified.length === 1) this.log.set([...path, String(modified[0])], out[modified[0]])
    else if (modified.length > 1) this.log.set(path, out)
  }

  #updatesOf (node: ArrayNode, element: Value, path: readonly string[]): UpdateNode | undefined {
    let update: UpdateNode | undefined
    for (const [identifier, child] of [...node.children].sort(([a], [b]) => compareParts(a, b))) {
      if (identifier !== '' && !node.filters.get(identifier)!(element)) continue
      update = update === undefined ? child : this.#merge(update, child, path)
    }
    return update
  }

  #leaf (leaf: Leaf, value: Maybe, way: Way): Outcome {
    if (leaf.insertOnly === true && !this.options.insert) return NOOP
    const { now, timestamp } = this.options
    const place: Place = { path: way.path, root: this.root, inArray: way.inArray, arrayAbove: way.arrayAbove, now, timestamp }
    const outcome = value === undefined ? this.#create(leaf, place, way) : leaf.update(value, place)
    if (outcome === NOOP) return NOOP
    this.#checkId(way.path, value)
    checkDepth(way.path.length + (leaf.depth ?? 0))
    if (way.path.length === 1 && outcome !== REMOVE) checkNewField(way.path[0])
    this.changed = true
    if (value !== undefined) this.log.update(leaf, place, value, outcome)
    return outcome
  }

  #create (leaf: Leaf, place: Place, way: Way): Outcome {
    const outcome = leaf.create === undefined ? NOOP : leaf.create(place)
    const fails = leaf.create === undefined ? leaf.toleratesNonViable !== true : outcome !== NOOP
    if (way.blocked !== undefined && fails) throw way.blocked()
    return outcome
  }

  /** _id may come into being, with an upsert, but not change. */
  #checkId (path: readonly string[], value: Maybe): void {
    if (path[0] !== '_id') return
    if (path.length === 1 && value === undefined) return
    if (!this.root.has('_id')) return
    throw new MongoError(66, `Performing an update on the path '${dotted(path)}' would modify the immutable field '_id'`)
  }
}
