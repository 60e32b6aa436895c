import { MongoError } from '../../values/errors.js'
import { isDoc, isNumber } from '../../values/types.js'
import type { Doc, Value } from '../../values/types.js'
import { approximateSize, sortMemory } from '../memory.js'
import { wholeNumber } from '../specs.js'
import { explained } from '../stage.js'
import type { StageParser } from '../stage.js'

function parseSize (spec: Value): number {
  if (!isDoc(spec)) throw new MongoError(28745, 'the $sample stage specification must be an object')
  let size: number | undefined
  for (const [option, value] of spec) {
    if (option !== 'size') throw new MongoError(28748, `unrecognized option to $sample: ${option}`)
    if (!isNumber(value)) throw new MongoError(28746, 'size argument to $sample must be a number')
    size = wholeNumber(value)!
    if (size < 0) throw new MongoError(28747, 'size argument to $sample must not be negative')
  }
  if (size === undefined) throw new MongoError(28749, '$sample stage must specify a size')
  return size
}

export const parseSample: StageParser = spec => {
  const size = parseSize(spec)
  return {
    name: '$sample',
    reads: [],
    closes: false,
    * run (source) {
      if (size > 0) yield * shuffled(reservoir(source, size))
    },
    explain: () => explained('$sample', spec)
  }
}

/** Each document has the same chance to be among the `size` that stay. */
function reservoir (source: Iterable<Doc>, size: number): Doc[] {
  const memory = sortMemory()
  const chosen: Doc[] = []
  let seen = 0
  for (const doc of source) {
    seen++
    const place = chosen.length < size ? chosen.length : Math.floor(Math.random() * seen)
    if (place >= size) continue
    memory.grow(approximateSize(doc) - (chosen[place] === undefined ? 0 : approximateSize(chosen[place])))
    chosen[place] = doc
  }
  return chosen
}

function shuffled (docs: Doc[]): Doc[] {
  for (let i = docs.length - 1; i > 0; i--) {
    const other = Math.floor(Math.random() * (i + 1))
    const doc = docs[i]
    docs[i] = docs[other]
    docs[other] = doc
  }
  return docs
}
