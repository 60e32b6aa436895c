import { nullish, splitPath } from '../../expressions/index.js'
import { MongoError } from '../../values/errors.js'
import { typeName } from '../../values/order.js'
import { isDoc } from '../../values/types.js'
import type { Doc, Value } from '../../values/types.js'
import { getNested, removeNested, setNested, topField } from '../paths.js'
import { explained } from '../stage.js'
import type { Stage, StageParser, StageScope } from '../stage.js'

const OFTEN = 1023

type Options = { path?: string, preserve: boolean, index?: string }

export const parseUnwind: StageParser = (spec, scope) => {
  const { path, preserve, index } = typeof spec === 'string' ? { path: spec, preserve: false, index: undefined } : readOptions(spec)
  if (path === undefined || path === '') throw new MongoError(28812, 'no path specified to $unwind stage')
  if (!path.startsWith('$')) throw new MongoError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`)
  if (index?.startsWith('$') === true) {
    throw new MongoError(28822, `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${index}`)
  }
  return unwindStage(path.slice(1), preserve, index, scope, explained('$unwind', spec))
}

function readOptions (spec: Value): Options {
  if (!isDoc(spec)) throw new MongoError(15981, `expected either a string or an object as specification for $unwind stage, got ${typeName(spec)}`)
  const options: Options = { preserve: false }
  for (const [option, value] of spec) readOption(options, option, value)
  return options
}

function readOption (options: Options, option: string, value: Value): void {
  switch (option) {
    case 'path':
      if (typeof value !== 'string') throw new MongoError(28808, `expected a string as the path for $unwind stage, got ${typeName(value)}`)
      options.path = value
      return
    case 'preserveNullAndEmptyArrays':
      if (typeof value !== 'boolean') {
        throw new MongoError(28809, `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(value)}`)
      }
      options.preserve = value
      return
    case 'includeArrayIndex':
      if (typeof value !== 'string' || value === '') {
        throw new MongoError(28810, `expected a non-empty string for the includeArrayIndex  option to $unwind stage, got ${typeName(value)}`)
      }
      options.index = value
      return
    default: throw new MongoError(28811, `unrecognized option to $unwind stage: ${option}`)
  }
}

function unwindStage (path: string, preserve: boolean, index: string | undefined, scope: StageScope, shown: Doc): Stage {
  const parts = splitPath(path)
  const indexParts = index === undefined ? undefined : splitPath(index)
  const touched = new Set([topField(path), ...(index === undefined ? [] : [topField(index)])])
  const numbered = (doc: Doc, at: Value): Doc => indexParts === undefined ? doc : setNested(doc, indexParts, at)
  const unwound = (doc: Doc): Iterable<Doc> => {
    const value = getNested(doc, parts)
    if (!Array.isArray(value)) return !nullish(value) || preserve ? [numbered(doc, null)] : []
    if (value.length > 0) return elements(doc, value)
    return preserve ? [numbered(removeNested(doc, parts), null)] : []
  }
  function * elements (doc: Doc, values: readonly Value[]): Iterable<Doc> {
    // its copies then share what is decoded once
    doc.values()
    for (const [i, value] of values.entries()) yield numbered(setNested(doc, parts, value), BigInt(i))
  }
  return {
    name: '$unwind',
    reads: [path],
    closes: false,
    passes: field => !touched.has(topField(field)),
    * run (source) {
      let count = 0
      for (const doc of source) {
        for (const one of unwound(doc)) {
          // arrays of arrays multiply: the operation may have been killed meanwhile
          if ((++count & OFTEN) === 0) scope.context.checkInterrupt()
          yield scope.metas.carry(doc, one)
        }
      }
    },
    explain: () => shown
  }
}
