import { Types } from 'mongoose'
import { CommonError } from '../kit.js'

export type SortSpec = readonly (readonly [path: string, direction: 1 | -1])[]

/** A list's position: the sort it belongs to and the sort values of the last row seen. Ids and times keep their type. */
type Position = { s: string, v: unknown[] }

const specText = (sort: SortSpec) => sort.map(([path, direction]) => (direction === -1 ? '-' : '') + path).join(',')

const pack = (value: unknown): unknown => value instanceof Date
  ? { d: value.getTime() }
  : value instanceof Types.ObjectId ? { o: value.toHexString() } : value ?? null

function unpack (value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  const { d, o } = value as { d?: unknown, o?: unknown }
  if (typeof d === 'number') return new Date(d)
  if (typeof o === 'string' && Types.ObjectId.isValid(o)) return new Types.ObjectId(o)
  throw CommonError.INVALID_CURSOR()
}

const valueAt = (row: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[key] : undefined, row)

export function writeCursor (sort: SortSpec, row: object): string {
  const position: Position = { s: specText(sort), v: sort.map(([path]) => pack(valueAt(row, path))) }
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** @throws INVALID_CURSOR for anything that this list, sorted like this, did not hand out */
export function readCursor (sort: SortSpec, text: string): unknown[] {
  let position: Position
  try {
    position = JSON.parse(Buffer.from(text, 'base64url').toString()) as Position
  } catch {
    throw CommonError.INVALID_CURSOR()
  }
  if (position?.s !== specText(sort) || !Array.isArray(position.v) || position.v.length !== sort.length) throw CommonError.INVALID_CURSOR()
  return position.v.map(unpack)
}

/**
 * The filter of all rows after a position. Missing and null sort first, so "after null" ascending is "not null", and descending nothing but null
 * follows null.
 */
export function after (sort: SortSpec, values: readonly unknown[]): Record<string, unknown> {
  const branches = sort.map(([path, direction], i) => {
    const equal = sort.slice(0, i).map(([earlier], j) => ({ [earlier]: values[j] }))
    const next = beyond(path, direction, values[i])
    return next === null ? null : { $and: [...equal, next] }
  })
  return { $or: branches.filter(branch => branch !== null) }
}

function beyond (path: string, direction: 1 | -1, value: unknown): Record<string, unknown> | null {
  if (value === null) return direction === 1 ? { [path]: { $ne: null } } : null
  if (direction === 1) return { [path]: { $gt: value } }
  return { $or: [{ [path]: { $lt: value } }, { [path]: null }] }
}
