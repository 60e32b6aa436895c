import { Readable } from 'node:stream'
import { csvOf } from './csv.js'

export type ExportFormat = 'csv' | 'json'

async function * jsonText (items: AsyncIterable<object>): AsyncGenerator<string> {
  let first = true
  for await (const item of items) {
    yield (first ? '[\n' : ',\n') + JSON.stringify(item)
    first = false
  }
  yield first ? '[]\n' : '\n]\n'
}

async function * csvText (items: AsyncIterable<object>, columns: readonly string[]): AsyncGenerator<string> {
  const { out, row } = csvOf(columns)
  out.setEncoding('utf8')
  let rows = 0
  for await (const item of items) {
    out.write(row(item as Record<string, unknown>))
    if (++rows % 100 === 0) yield * drain(out)
  }
  out.end()
  for await (const chunk of out as AsyncIterable<string>) yield chunk
}

function * drain (out: Readable): Generator<string> {
  for (let chunk = out.read() as string | null; chunk !== null; chunk = out.read() as string | null) yield chunk
}

/** A file of all items in constant memory: the next row is read when the receiver has taken the ones before. */
export const exportStream = (items: AsyncIterable<object>, format: ExportFormat, columns: readonly string[]): Readable =>
  Readable.from(format === 'csv' ? csvText(items, columns) : jsonText(items), { objectMode: false, highWaterMark: 65_536 })

export const exportHeaders = (name: string, format: ExportFormat, now: Date): Record<string, string> => ({
  'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8',
  'content-disposition': `attachment; filename="${name}-${now.toISOString().slice(0, 10)}.${format}"`
})
