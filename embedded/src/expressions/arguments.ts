import { isDoc } from '../values/types.js'
import type { MongoError } from '../values/errors.js'
import type { Maybe, Value } from '../values/types.js'
import type { Compiler } from './compiler.js'
import type { Scope } from './context.js'
import { error } from './node.js'
import type { Node } from './node.js'

/** The named arguments of an operator such as `{ input, as, in }`. */
export type Arguments = ReadonlyMap<string, Value>

/** @param notObject raised for anything but a document, @param unknown for a name that is not allowed */
export function argumentsOf (spec: Value, allowed: readonly string[], notObject: () => MongoError, unknown: (name: string) => MongoError): Arguments {
  if (!isDoc(spec)) throw notObject()
  const args = new Map<string, Value>()
  for (const [name, value] of spec) {
    if (!allowed.includes(name)) throw unknown(name)
    args.set(name, value)
  }
  return args
}

/** The value of an argument that must be there. */
export function required (args: Arguments, name: string, code: number, message: string): Value {
  const value = args.get(name)
  if (value === undefined) throw error(code, message)
  return value
}

export const optional = (args: Arguments, name: string, cx: Compiler): Node | undefined => {
  const value = args.get(name)
  return value === undefined ? undefined : cx.operand(value)
}

export const present = (...nodes: (Node | undefined)[]): Node[] => nodes.filter(node => node !== undefined)

/** The value of an optional argument; one that was not given has the default. */
export const valueOf = (node: Node | undefined, scope: Scope, otherwise: Maybe): Maybe => node === undefined ? otherwise : node.evaluate(scope)
