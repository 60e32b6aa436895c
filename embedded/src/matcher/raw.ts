import { endOfName, endOfValue, valueAt } from '../values/bson-read.js'
import type { Doc, Maybe } from '../values/types.js'
import { visitPath } from './paths.js'
import type { Leaf, Path } from './paths.js'

export const OBJECT = 0x03
export const ARRAY = 0x04

/** A test of one value, decoded or where it stands in BSON bytes (type 0: missing). */
export type LeafTest = {
  value (v: Maybe): boolean
  raw (b: Uint8Array, type: number, at: number): boolean
}

/** A leaf test that needs the decoded value. */
export const decoding = (value: (v: Maybe) => boolean): LeafTest =>
  ({ value, raw: (b, type, at) => value(type === 0 ? undefined : valueAt(b, type, at)) })

/** Tests the value of one path in a document. */
export type PathTest = {
  doc (doc: Doc): boolean
  /** @param start where the document (or array) begins in the bytes */
  raw (b: Uint8Array, start: number): boolean
}

type RawPath = Path & { readonly names: readonly Uint8Array[] }

export function pathTest (path: Path, leaf: Leaf, test: LeafTest): PathTest {
  const raw: RawPath = { ...path, names: path.parts.map(part => Buffer.from(part)) }
  const expand = leaf === 'elements'
  return {
    doc: doc => doc.rawBytes !== undefined ? testFrom(doc.rawBytes, 0, raw, 0, expand, test) : visitPath(doc, path, leaf, test.value),
    raw: (b, start) => testFrom(b, start, raw, 0, expand, test)
  }
}

/** Where the value stands that findField found. */
let foundAt = 0

/** @returns the type of the field, 0 when there is none */
function findField (b: Uint8Array, start: number, name: Uint8Array): number {
  const length = name.length
  let at = start + 4
  for (let type = b[at]; type !== 0; type = b[at]) {
    at++
    let i = 0
    while (i < length && b[at + i] === name[i]) i++
    if (i === length && b[at + i] === 0) {
      foundAt = at + i + 1
      return type
    }
    at = endOfValue(b, type, endOfName(b, at) + 1)
  }
  return 0
}

// The same walk as in paths.ts, over bytes.

function testFrom (b: Uint8Array, start: number, path: RawPath, from: number, expand: boolean, test: LeafTest): boolean {
  const { names } = path
  let type = OBJECT
  let at = start
  let i = from
  while (i < names.length && type === OBJECT) {
    type = findField(b, at, names[i++])
    at = foundAt
  }
  if (type === ARRAY) return testArray(b, at, path, i, expand, test)
  return i < names.length ? test.raw(b, 0, 0) : test.raw(b, type, at)
}

function testArray (b: Uint8Array, start: number, path: RawPath, i: number, expand: boolean, test: LeafTest): boolean {
  if (i === path.names.length) return (expand && someElement(b, start, test)) || test.raw(b, ARRAY, start)
  const index = path.indexes[i]
  let at = start + 4
  for (let k = 0, type = b[at]; type !== 0; k++, type = b[at]) {
    at = endOfName(b, at + 1) + 1
    if (type === OBJECT && testFrom(b, at, path, i, expand, test)) return true
    if (k === index && testIndexed(b, type, at, path, i + 1, expand, test)) return true
    at = endOfValue(b, type, at)
  }
  return false
}

export function someElement (b: Uint8Array, start: number, test: LeafTest): boolean {
  let at = start + 4
  for (let type = b[at]; type !== 0; type = b[at]) {
    at = endOfName(b, at + 1) + 1
    if (test.raw(b, type, at)) return true
    at = endOfValue(b, type, at)
  }
  return false
}

function testIndexed (b: Uint8Array, type: number, at: number, path: RawPath, i: number, expand: boolean, test: LeafTest): boolean {
  if (i === path.names.length) return test.raw(b, type, at)
  if (type === OBJECT) return testFrom(b, at, path, i, expand, test)
  return type === ARRAY && testArray(b, at, path, i, expand, test)
}
