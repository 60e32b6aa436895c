/** One line of the journal: what the redirect knows without parsing anything. Fields are separated by tabs, which are taken out of the values. */
export type ClickRecord = {
  seq: number, linkId: string, accountId: string, at: number, ip: string, userAgent: string, referrer: string, language: string, country: string, query: string, prefetch: boolean
}

// eslint-disable-next-line no-control-regex -- they would end a field or a line
const CONTROL = /[\u0000-\u001f\u007f]/g
const MAX = 512
const field = (text: string | undefined): string =>
  text === undefined ? '' : (text.length > MAX ? text.slice(0, MAX) : text).replace(CONTROL, ' ')

export const writeRecord = (
  seq: number, linkId: string, accountId: string, at: number, ip: string, userAgent: string | undefined, referrer: string | undefined,
  language: string | undefined, country: string | undefined, query: string, prefetch: boolean
): string =>
  `${seq}\t${linkId}\t${accountId}\t${at}\t${ip}\t${field(userAgent)}\t${field(referrer)}\t${field(language)}\t${field(country)}\t${field(query)}\t${prefetch ? 1 : 0}`

export function readRecord (line: string): ClickRecord | null {
  const parts = line.split('\t')
  if (parts.length !== 11) return null
  const [seq, linkId, accountId, at, ip, userAgent, referrer, language, country, query, prefetch] = parts as [string, string, string, string, string, string, string, string, string, string, string]
  return { seq: Number(seq), linkId, accountId, at: Number(at), ip, userAgent, referrer, language, country, query, prefetch: prefetch === '1' }
}
