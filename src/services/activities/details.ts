import type { LOG_TYPES } from '../../schemas/activities.js'
import type { FieldError } from '../kit.js'
import { ActivityError } from './errors.js'

type LogType = typeof LOG_TYPES[number]
type Rule = { required?: boolean, check (value: unknown): string | null }

const text = (max: number, required = false): Rule => ({
  required, check: value => typeof value === 'string' && value.length <= max && (!required || value.length > 0) ? null : `must be text of at most ${max} characters`
})
const one = (values: readonly string[], required = false): Rule => ({ required, check: value => values.includes(value as string) ? null : `must be one of ${values.join(', ')}` })
const number = (max: number): Rule => ({ check: value => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max ? null : `must be a whole number from 0 to ${max}` })
const list = (max: number, min = 0): Rule => ({
  check: value => Array.isArray(value) && value.length >= min && value.length <= max && value.every(item => typeof item === 'string' && item.length <= 254) ? null : `must be a list of ${min} to ${max} texts`
})
const time = (required = false): Rule => ({
  required, check: value => typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)) ? null : 'must be a date and time'
})
const id: Rule = { check: value => typeof value === 'string' && /^[0-9a-f]{24}$/.test(value) ? null : 'must be an id' }

const RULES: Readonly<Record<LogType, Readonly<Record<string, Rule>>>> = {
  call: {
    direction: one(['in', 'out'], true), outcome: one(['connected', 'no_answer', 'busy', 'voicemail', 'wrong_number'], true), duration_s: number(86_400), phone: text(30), note: text(5_000),
    recording_file_id: id
  },
  email: { direction: one(['in', 'out'], true), subject: text(500, true), body: text(20_000), to: list(50, 1), cc: list(50), sent_at: time() },
  meeting: {
    title: text(200, true), start: time(true), end: time(true), location: text(500), attendees: list(50), outcome: one(['held', 'no_show', 'cancelled']), note: text(5_000)
  }
}
const WEEK = 7 * 86_400_000

/** @throws DETAILS_INVALID naming each field that is missing, of another type or out of bounds */
export function checkDetails (type: LogType, details: Record<string, unknown>): Record<string, unknown> {
  const rules = RULES[type]
  const errors: FieldError[] = []
  const complain = (field: string, message: string, code: string) => { errors.push({ path: `body.details.${field}`, message, code }) }
  for (const [field, value] of Object.entries(details)) {
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined
    const problem = rule?.check(value)
    if (rule === undefined) complain(field, `is not a field of a ${type}`, 'additionalProperties')
    else if (problem !== null && problem !== undefined) complain(field, problem, 'invalid')
  }
  for (const [field, rule] of Object.entries(rules)) if (rule.required === true && details[field] === undefined) complain(field, 'is missing', 'required')
  if (type === 'meeting' && errors.length === 0) {
    const length = Date.parse(details.end as string) - Date.parse(details.start as string)
    if (length <= 0) complain('end', 'must be after the start', 'minimum')
    else if (length > WEEK) complain('end', 'must be within 7 days of the start', 'maximum')
  }
  if (errors.length > 0) throw ActivityError.DETAILS_INVALID().with({ errors })
  return details
}
