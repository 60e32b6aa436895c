export type Value = string | number | boolean | null | Value[] | { [name: string]: Value }
export type Params = { [name: string]: Value }

/** Fields whose text is a number in the API. */
const NUMBERS = /^(?:amount|amount_.*|unit_amount|quantity|limit|interval_count|trial_.*|created|period_.*|percent_off|duration_in_months|max_redemptions|application_fee_amount|days_until_due|.*_at)$/

const MAX_DEPTH = 8

function read (name: string, text: string): Value {
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === '') return null
  return NUMBERS.test(name) && /^-?\d{1,15}$/.test(text) ? Number(text) : text
}

/** Reads Stripe's nested form: `items[0][price]=…`, `metadata[a]=…`, `expand[]=…`. */
export function parseForm (form: URLSearchParams): Params {
  const root: Params = Object.create(null) as Params
  for (const [key, text] of form) {
    const path = key.split('[').map(part => part.replace(/\]$/, '')).slice(0, MAX_DEPTH)
    put(root, path, text)
  }
  return lists(root) as Params
}

function put (root: Params, path: readonly string[], text: string) {
  let at = root
  for (const [index, part] of path.entries()) {
    const name = part === '' ? String(Object.keys(at).length) : part
    if (index === path.length - 1) at[name] = read(nearestName(path), text)
    else at = (at[name] ??= Object.create(null) as Params) as Params
    if (typeof at !== 'object' || at === null) return
  }
}

const nearestName = (path: readonly string[]) => path.findLast(part => part !== '' && !/^\d+$/.test(part)) ?? ''

/** Objects whose names are 0, 1, 2 … are lists. */
function lists (value: Value): Value {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).map(([name, inner]) => [name, lists(inner)] as const)
  return entries.length > 0 && entries.every(([name], index) => name === String(index)) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries)
}
