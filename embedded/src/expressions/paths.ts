import { Doc } from '../values/types.js'
import type { Maybe, Value } from '../values/types.js'
import { error } from './node.js'

const MAX_DEPTH = 200

/** @throws MongoError unless this may be the name of a field in a path or an object expression */
export function checkFieldName (name: string): void {
  if (name === '') throw error(15998, 'FieldPath field names may not be empty strings.')
  if (name.startsWith('$')) throw error(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.")
  if (name.includes('\0')) throw error(16411, 'FieldPath field names may not contain a null byte.')
  if (name.includes('.')) throw error(16412, "FieldPath field names may not contain '.'. Consider using $getField or $setField.")
}

/** The parts of a dotted path (without a leading dollar). */
export function splitPath (path: string): string[] {
  if (path === '') throw error(40352, 'FieldPath cannot be constructed with empty string')
  if (path.endsWith('.')) throw error(40353, "FieldPath must not end with a '.'.")
  const parts = path.split('.')
  for (const part of parts) checkFieldName(part)
  if (parts.length > MAX_DEPTH) throw error(5729100, 'FieldPath is too long')
  return parts
}

/** What a path finds from `value` on: through arrays it gathers what their documents hold; it never indexes them. */
export function walk (value: Maybe, parts: readonly string[], from: number): Maybe {
  let at = value
  for (let i = from; i < parts.length; i++) {
    if (at instanceof Doc) at = at.get(parts[i])
    else return Array.isArray(at) ? gather(at, parts, i) : undefined
  }
  return at
}

function gather (array: readonly Value[], parts: readonly string[], from: number): Value[] {
  const found: Value[] = []
  for (const element of array) {
    if (!(element instanceof Doc)) continue
    const value = walk(element, parts, from)
    if (value !== undefined) found.push(value)
  }
  return found
}
