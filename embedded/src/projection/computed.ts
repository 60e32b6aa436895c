import { Doc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import type { Scope } from '../expressions/index.js'

/** A computed field: an expression, or the index-free result of find's $elemMatch. */
export type Compute = (scope: Scope) => Maybe

/** Computed fields level by level, in the order in which they are written. */
export class Computed {
  readonly fields = new Map<string, Compute | Computed>()

  add (path: readonly string[], compute: Compute): void {
    const [first, ...rest] = path as [string, ...string[]]
    if (rest.length === 0) {
      this.fields.set(first, compute)
      return
    }
    const known = this.fields.get(first)
    const inner = known instanceof Computed ? known : new Computed()
    if (inner !== known) this.fields.set(first, inner)
    inner.add(rest, compute)
  }

  /** @param out changed in place */
  applyTo (out: Doc, scope: Scope): void {
    for (const [name, field] of this.fields) {
      const value = field instanceof Computed ? field.#within(out.get(name), scope) : field(scope)
      if (value === undefined) out.delete(name)
      else out.set(name, value)
    }
  }

  /** Documents are added to, arrays are gone through, anything else gives way to a new document. */
  #within (value: Maybe, scope: Scope): Value {
    if (Array.isArray(value)) return value.map(element => this.#within(element, scope))
    const out = value instanceof Doc ? value.copy() : Doc.of()
    this.applyTo(out, scope)
    return out
  }
}
