import type { FastifyRequest } from 'fastify'
import { CommonError } from '../services/kit.js'
import { readCsv } from '../services/resource/csv.js'
import type { ImportInput, ImportRow } from '../services/resource/import.js'

const MAX_JSON_FILE = 26_214_400

/**
 * The rows of an import: one multipart file (CSV, or a JSON array) or a JSON body `{rows: []}`. Null for any other kind of body.
 * @throws VALIDATION_FAILED for a body without rows
 */
export async function importInput (req: FastifyRequest): Promise<ImportInput | null> {
  if (req.isMultipart()) {
    const file = await req.file()
    if (file === undefined) throw malformed('has no file')
    if (file.mimetype === 'application/json' || file.filename.toLowerCase().endsWith('.json')) return jsonRows(parse(await file.toBuffer()))
    return readCsv(file.file)
  }
  const body = req.body as { rows?: unknown } | undefined
  return body === undefined || body === null ? null : jsonRows(body.rows)
}

function parse (bytes: Buffer): unknown {
  if (bytes.length > MAX_JSON_FILE) throw CommonError.PAYLOAD_TOO_LARGE()
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw malformed('is not JSON')
  }
}

async function * jsonRows (rows: unknown): AsyncGenerator<ImportRow> {
  if (!Array.isArray(rows)) throw malformed('must be a list of rows')
  for (const [index, values] of (rows as unknown[]).entries()) {
    yield { row: index + 1, values: values !== null && typeof values === 'object' && !Array.isArray(values) ? values as Record<string, unknown> : {} }
  }
}

const malformed = (message: string) => CommonError.VALIDATION_FAILED().with({ errors: [{ path: 'body', message, code: 'malformed' }] })
