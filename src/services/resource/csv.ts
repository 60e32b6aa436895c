import { stringify } from 'csv-stringify'
import { parse } from 'csv-parse'
import type { Readable } from 'node:stream'

/** Characters that make a spreadsheet take a cell for a formula, and their full-width forms. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/

/** A cell that no spreadsheet runs: a leading apostrophe is put before what could begin a formula. */
export const guardCell = (text: string): string => FORMULA.test(text) ? `'${text}` : text

/** Undoes guardCell, and only that. */
export const unguardCell = (text: string): string => text.startsWith("'") && FORMULA.test(text.slice(1)) ? text.slice(1) : text

const cell = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  if (typeof value === 'object') return guardCell(JSON.stringify(value))
  return typeof value === 'string' ? guardCell(value) : String(value)
}

/** CSV of items by named columns, as a stream that asks for rows only as fast as it is read. */
export const csvOf = (columns: readonly string[]) => {
  const out = stringify({ header: true, columns: [...columns], bom: true, record_delimiter: 'windows' })
  return { out, row: (item: Record<string, unknown>) => columns.map(column => cell(item[column])) }
}

/** Columns of a file of refused rows: corrected and imported again, they say nothing. */
const ERROR_COLUMNS = new Set(['error_row', 'error_code', 'error_message'])

export type CsvRow = { row: number, values: Record<string, string> }

/** Rows of a CSV file with their line's number (the header is row 1); names are lower-cased, prototypes stay out. */
export async function * readCsv (input: Readable): AsyncGenerator<CsvRow> {
  const parser = input.pipe(parse({
    bom: true, relax_column_count: true, skip_empty_lines: true, trim: true, max_record_size: 1_048_576,
    columns: (header: string[]) => header.map(name => name.toLowerCase().trim()).map(name => ERROR_COLUMNS.has(name) ? false : name)
  }))
  let row = 1
  for await (const record of parser as AsyncIterable<Record<string, string>>) {
    row++
    yield { row, values: Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(Object.entries(record).map(([key, text]) => [key, unguardCell(text)]))) }
  }
}
