import type { InboundMail, MailAddress } from './types.js'

const MAX_ADDRESSES = 200

/** Splits at commas that stand outside quotes and angle brackets. */
function split (list: string): string[] {
  const parts: string[] = []
  let part = ''
  let quoted = false
  let angled = false
  for (const char of list) {
    if (char === '"') quoted = !quoted
    else if (char === '<' && !quoted) angled = true
    else if (char === '>' && !quoted) angled = false
    if (char === ',' && !quoted && !angled) {
      parts.push(part)
      part = ''
    } else part += char
  }
  return [...parts, part].map(one => one.trim()).filter(one => one !== '').slice(0, MAX_ADDRESSES)
}

function address (text: string): MailAddress | null {
  const open = text.lastIndexOf('<')
  const email = (open === -1 ? text : text.slice(open + 1).replace(/>.*$/s, '')).trim().toLowerCase()
  if (!/^[^\s@<>]{1,64}@[^\s@<>;,"()]{1,255}$/.test(email)) return null
  const name = open === -1 ? '' : text.slice(0, open).trim().replace(/^"(.*)"$/s, '$1').trim()
  return name === '' ? { email } : { email, name }
}

/** The addresses of a `To`-like line; what is none is left out. */
export const parseAddresses = (list: string): MailAddress[] => split(list.slice(0, 20_000)).flatMap(part => address(part) ?? [])

/** Header lines as a map of lower-case names; folded lines are joined, the first of a name counts. */
function headerLines (block: string): Map<string, string> {
  const lines = block.slice(0, 100_000).replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    if (colon > 0 && !headers.has(name)) headers.set(name, line.slice(colon + 1).trim())
  }
  return headers
}

function parseJson (text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {}
  } catch {
    return {}
  }
}

const ids = (text: string | undefined) => (text ?? '').match(/<[^<>\s]{1,500}>/g) ?? []
const textOf = (value: unknown): string | null => typeof value === 'string' ? value : null

function attachments (info: string | undefined): InboundMail['attachments'] {
  return Object.entries(parseJson(info)).slice(0, 100).map(([field, value]) => {
    const about = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
    return {
      field,
      filename: textOf(about.filename) ?? textOf(about.name) ?? field,
      type: textOf(about.type) ?? 'application/octet-stream',
      contentId: textOf(about['content-id'])
    }
  })
}

/** Reads an inbound mail as SendGrid posts it; every field may be missing or wrong. */
export function parseInbound (form: Readonly<Record<string, string>>): InboundMail {
  const headers = headerLines(form.headers ?? '')
  const envelope = parseJson(form.envelope)
  const deliveredTo = Array.isArray(envelope.to) ? envelope.to.filter(one => typeof one === 'string') : []
  const spamScore = Number(form.spam_score ?? NaN)
  return {
    from: parseAddresses(form.from ?? '')[0] ?? null,
    to: parseAddresses(form.to ?? ''),
    cc: parseAddresses(form.cc ?? ''),
    deliveredTo: deliveredTo.map(one => one.toLowerCase()),
    subject: form.subject ?? '',
    text: form.text ?? '',
    html: form.html ?? '',
    messageId: ids(headers.get('message-id'))[0] ?? null,
    inReplyTo: ids(headers.get('in-reply-to'))[0] ?? null,
    references: ids(headers.get('references')),
    spamScore: Number.isFinite(spamScore) ? spamScore : null,
    attachments: attachments(form['attachment-info'])
  }
}
