import { HOUR, MINUTE } from '../values/dates.js'

/** The abbreviations of time zones in common use, in hours from UTC. */
const ABBREVIATIONS: ReadonlyMap<string, number> = new Map([
  ['utc', 0], ['gmt', 0], ['wet', 0], ['west', 1], ['bst', 1], ['cet', 1], ['cest', 2], ['mez', 1], ['eet', 2], ['eest', 3], ['msk', 3], ['msd', 4],
  ['sast', 2], ['ist', 2], ['pkt', 5], ['hkt', 8], ['sgt', 8], ['awst', 8], ['jst', 9], ['kst', 9], ['acst', 9.5], ['acdt', 10.5], ['aest', 10], ['aedt', 11],
  ['nzst', 12], ['nzdt', 13], ['nst', -3.5], ['ndt', -2.5], ['ast', -4], ['adt', -3], ['est', -5], ['edt', -4], ['cst', -6], ['cdt', -5], ['mst', -7],
  ['mdt', -6], ['pst', -8], ['pdt', -7], ['akst', -9], ['akdt', -8], ['hst', -10], ['sst', -11]
])

/** Military letters: A to I and K to M are 1 to 12 hours east, N to Y 1 to 12 west, Z is UTC. */
function militaryOffset (letter: string): number | undefined {
  const index = 'abcdefghiklm'.indexOf(letter)
  if (index >= 0) return index + 1
  const west = 'nopqrstuvwxy'.indexOf(letter)
  return west >= 0 ? -(west + 1) : letter === 'z' ? 0 : undefined
}

const CORRECTION = /(?:GMT|UTC)?([+-])(\d{1,2})(?::?(\d{2}))?/iy
const WORD = /[a-z]+/iy

export type ZoneText = { readonly offset: number, readonly end: number }

/** A zone such as `Z`, `+02:00`, `GMT+2` or `PDT`, after blanks, at a place of a text; names of the IANA database are not allowed there. */
export function readZone (text: string, from: number): ZoneText | undefined {
  let at = from
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '(') at++
  CORRECTION.lastIndex = at
  const m = CORRECTION.exec(text)
  if (m !== null) return { offset: (m[1] === '-' ? -1 : 1) * (Number(m[2]) * HOUR + Number(m[3] ?? 0) * MINUTE), end: at + m[0].length }
  WORD.lastIndex = at
  const word = WORD.exec(text)?.[0].toLowerCase()
  if (word === undefined) return undefined
  const hours = ABBREVIATIONS.get(word) ?? (word.length === 1 ? militaryOffset(word) : undefined)
  if (hours === undefined) return undefined
  const end = at + word.length
  return { offset: hours * HOUR, end: text[end] === ')' ? end + 1 : end }
}
