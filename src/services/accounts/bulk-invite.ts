import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { CommonError, ServiceError, type Actor } from '../kit.js'
import type { Platform } from '../platform.js'
import { createImporter, type ImportInput } from '../resource/import.js'
import type { Invites } from './invites.js'
import type { Plans } from './plans.js'

const Row = Type.Object({
  business_name: Type.String({ minLength: 1, maxLength: 150, pattern: '\\S' }),
  first_name: Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' }),
  last_name: Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' }),
  email: Type.String({ maxLength: 254, pattern: '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$' }),
  phone: Type.Optional(Type.String({ pattern: '^\\+[1-9][0-9]{6,14}$' })),
  website: Type.Optional(Type.String({ maxLength: 500 }))
}, { additionalProperties: false })
type InviteRow = Static<typeof Row>
const MAX_ROWS = 500

function readRow (values: Record<string, unknown>): InviteRow {
  const row = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '' && value !== null && value !== undefined))
  const problems = [...Value.Errors(Row, row)].slice(0, 5)
  if (problems.length === 0) return row as InviteRow
  throw CommonError.VALIDATION_FAILED().with({ errors: problems.map(({ path, message }) => ({ path: path.slice(1).replaceAll('/', '.'), message, code: 'invalid' })) })
}

/** Many invites in one job: a bad row is reported and never stops the others; done rows and progress move together. */
export function createBulkInvite (platform: Platform, invites: Invites, plans: Plans) {
  const importer = createImporter<InviteRow>(platform, {
    source: 'account-invite',
    family: 'QM_ACCOUNTS',
    label: 'Invites of clients',
    maxRows: MAX_ROWS,
    read: readRow,
    async write (actor, row) {
      await invites.inviteRow(actor, {
        business: { name: row.business_name, email: row.email, phone: row.phone, website: row.website },
        owner: { first_name: row.first_name, last_name: row.last_name, email: row.email, phone: row.phone }
      })
      return 'added'
    }
  })

  /** @throws PLAN_REQUIRED, PAYLOAD_TOO_LARGE over 500 rows, VALIDATION_FAILED for none */
  async function start (actor: Actor, input: ImportInput): Promise<string> {
    await plans.require(actor)
    return importer.start(actor, input)
  }

  async function check (actor: Actor, input: ImportInput) {
    await plans.require(actor)
    const errors: { row: number, code: string, message: string }[] = []
    let total = 0
    for await (const { row, values } of input) {
      if (++total > MAX_ROWS) throw CommonError.PAYLOAD_TOO_LARGE().with({ info: `An invite holds ${MAX_ROWS} rows.` })
      try {
        readRow(values)
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error
        errors.push({ row, code: error.code, message: error.errors?.map(({ path, message }) => `${path}: ${message}`).join('; ') ?? error.message })
      }
    }
    return { total, ready: total - errors.length, errors }
  }

  return { start, check }
}
