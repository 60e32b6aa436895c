import type { Model } from 'mongoose'
import type { ListQuery, Pagination } from '../../schemas/kit.js'
import { CommonError } from '../kit.js'
import { after, readCursor, writeCursor, type SortSpec } from './cursor.js'

export type Sortable = Readonly<Record<string, string>>
export type ListRequest = ListQuery
type Options<T> = {
  model: Model<T>
  /** wire name -> path in the database */
  sortable: Sortable
  defaultSort: string
  /** fields that leave the database at all */
  projection: Readonly<Record<string, 0 | 1>>
}

const MAX_MS = 5_000
export const DEFAULT_LIMIT = 20
/** A page this deep would walk the index for long: cursors go on where pages end. */
const MAX_OFFSET = 100_000

/** Reads `-created_at,name` over an allow-list; `_id` always breaks ties, in the direction of the first field. */
export function parseSort (text: string, sortable: Sortable): SortSpec {
  const parts = text.split(',').map(part => {
    const path = sortable[part.replace(/^-/, '')]
    if (path === undefined) throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'querystring.sort', message: `cannot sort by ${part}`, code: 'enum' }] })
    return [path, part.startsWith('-') ? -1 : 1] as const
  })
  return [...parts, ['_id', parts[0]![1]] as const]
}

/**
 * Lists of one collection: by page (with the exact total) or by cursor (stable while rows are inserted, and without a count).
 * The caller's filter begins with account_id.
 */
export function createLister<T extends { _id: unknown }> ({ model, sortable, defaultSort, projection }: Options<T>) {
  const sorts = new Map<string, SortSpec>()
  const sortOf = (text: string = defaultSort): SortSpec => {
    const known = sorts.get(text) ?? parseSort(text, sortable)
    if (sorts.size < 200) sorts.set(text, known)
    return known
  }
  const order = (sort: SortSpec) => Object.fromEntries(sort)

  async function list (filter: Record<string, unknown>, query: ListRequest): Promise<{ rows: T[], pagination: Pagination }> {
    const { limit = DEFAULT_LIMIT, cursor, page } = query
    const sort = sortOf(query.sort)
    if (cursor !== undefined && page !== undefined) {
      throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'querystring.page', message: 'page and cursor exclude each other', code: 'exclusive' }] })
    }
    return cursor !== undefined ? byCursor(filter, sort, limit, cursor) : byPage(filter, sort, limit, page ?? 1)
  }

  async function byPage (filter: Record<string, unknown>, sort: SortSpec, limit: number, page: number) {
    const skip = (page - 1) * limit
    if (skip > MAX_OFFSET) throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'querystring.page', message: 'too deep, use cursor', code: 'maximum' }] })
    const found = await read(filter, sort, limit + 1, skip)
    const rows = found.slice(0, limit)
    // A first page that is not full is its own count.
    const total = found.length <= limit && (found.length > 0 || page === 1) ? skip + found.length : await model.countDocuments(filter as never).maxTimeMS(MAX_MS)
    return {
      rows,
      pagination: { page, limit, total, totalPages: Math.ceil(total / limit), next_cursor: found.length > limit ? writeCursor(sort, rows.at(-1)!) : null }
    }
  }

  async function byCursor (filter: Record<string, unknown>, sort: SortSpec, limit: number, cursor: string) {
    const { account_id: account, ...rest } = filter
    const tenant = account === undefined ? {} : { account_id: account }
    const found = await read({ ...tenant, $and: [rest, after(sort, readCursor(sort, cursor))] }, sort, limit + 1, 0)
    const rows = found.slice(0, limit)
    return { rows, pagination: { limit, next_cursor: found.length > limit ? writeCursor(sort, rows.at(-1)!) : null } }
  }

  const read = (filter: Record<string, unknown>, sort: SortSpec, limit: number, skip: number): Promise<T[]> =>
    model.find(filter as never, projection).sort(order(sort)).skip(skip).limit(limit).maxTimeMS(MAX_MS).lean() as unknown as Promise<T[]>

  /** All rows of the filter one by one, for exports: nothing is collected. */
  function stream (filter: Record<string, unknown>, sortText?: string): AsyncIterable<T> {
    return model.find(filter as never, projection).sort(order(sortOf(sortText))).lean().cursor({ batchSize: 500 }) as unknown as AsyncIterable<T>
  }

  return { list, stream }
}

/** Keeps `id` and the asked fields of each item; unknown names are refused. */
export function pickFields<T extends { id: string }> (items: T[], fields: string | undefined, known: ReadonlySet<string>): T[] {
  if (fields === undefined) return items
  const names = fields.split(',')
  const unknown = names.find(name => !known.has(name))
  if (unknown !== undefined) throw CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'querystring.fields', message: `${unknown} is not a field`, code: 'enum' }] })
  return items.map(item => Object.fromEntries(['id', ...names].map(name => [name, (item as Record<string, unknown>)[name]])) as T)
}
