import type { Value } from '../values/types.js'
import type { ParseContext } from '../expressions/index.js'
import { arithmetic, bit } from './arithmetic.js'
import { addToSet, pop, pull, pullAll } from './arrays.js'
import { currentDate, minMax, set, unset } from './assign.js'
import type { Leaf } from './leaf.js'
import { push } from './push.js'

type Make = (path: string, operand: Value, ctx: ParseContext) => Leaf

/** All update operators but $rename, which has two paths. */
export const OPERATORS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['$set', (_path, operand) => set('$set', operand)], ['$setOnInsert', (_path, operand) => set('$setOnInsert', operand)],
  ['$unset', () => unset], ['$currentDate', currentDate],
  ['$min', (_path, operand, ctx) => minMax('$min', operand, ctx)], ['$max', (_path, operand, ctx) => minMax('$max', operand, ctx)],
  ['$inc', (path, operand) => arithmetic('$inc', path, operand)], ['$mul', (path, operand) => arithmetic('$mul', path, operand)], ['$bit', bit],
  ['$push', push], ['$addToSet', addToSet], ['$pop', pop], ['$pull', pull], ['$pullAll', pullAll]
])
