import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { NewLink } from '../../schemas/url.js'
import { CommonError } from '../kit.js'
import type { Platform } from '../platform.js'
import { createImporter } from '../resource/import.js'
import type { LinksService } from './index.js'

const MAX_ROWS = 100_000
/** Columns of a CSV file; a JSON row may carry any field of a new link. */
const Row = Type.Object(NewLink.properties, { additionalProperties: false })

/** CSV knows only text: empty cells are absent, tags are separated by |. */
function fromCells (values: Record<string, unknown>): Record<string, unknown> {
  const filled = Object.entries(values).filter(([, value]) => value !== '' && value !== null && value !== undefined)
  return Object.fromEntries(filled.map(([key, value]) => [key, key === 'tags' && typeof value === 'string' ? value.split('|').map(tag => tag.trim()).filter(tag => tag !== '') : value]))
}

export function createLinkImport (platform: Platform, links: LinksService) {
  return createImporter<NewLink>(platform, {
    source: 'url-import',
    family: 'QM_URL',
    label: 'Import of short links',
    maxRows: MAX_ROWS,
    read (values) {
      const row = fromCells(values)
      const problems = [...Value.Errors(Row, row)].slice(0, 10)
      if (problems.length === 0) return row as NewLink
      throw CommonError.VALIDATION_FAILED().with({ errors: problems.map(({ path, message }) => ({ path: path.slice(1).replaceAll('/', '.'), message, code: 'invalid' })) })
    },
    async write (actor, item) {
      const { created } = await links.upsert(actor, item)
      return created ? 'added' : 'updated'
    }
  })
}
export type LinkImport = ReturnType<typeof createLinkImport>
