import { ServiceError, type FieldError } from '../kit.js'

export type RowResult = { index: number, status: 'created' | 'updated' | 'deleted' | 'unchanged' | 'failed', id?: string, error?: { code: string, message: string, errors?: FieldError[] } }
export type BulkResult = { results: RowResult[], counts: { total: number, succeeded: number, failed: number } }

/**
 * Applies `each` to every item in order; a row that is refused is reported and never stops the others. What nobody foresaw (a database that is
 * away) ends the call, for the caller must learn that the rest was not tried.
 */
export async function runBulk<T> (items: readonly T[], each: (item: T, index: number) => Promise<Omit<RowResult, 'index'>>): Promise<BulkResult> {
  const results: RowResult[] = []
  for (const [index, item] of items.entries()) results.push({ index, ...await attempt(() => each(item, index)) })
  const failed = results.filter(result => result.status === 'failed').length
  return { results, counts: { total: items.length, succeeded: items.length - failed, failed } }
}

async function attempt (work: () => Promise<Omit<RowResult, 'index'>>): Promise<Omit<RowResult, 'index'>> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ServiceError) || error.status >= 500) throw error
    return { status: 'failed', error: { code: error.code, message: error.message, ...(error.errors !== undefined && { errors: error.errors }) } }
  }
}

/** 207 when some rows failed and some did not, else 200. */
export const bulkStatus = ({ counts }: BulkResult): 200 | 207 => counts.failed > 0 && counts.succeeded > 0 ? 207 : 200
