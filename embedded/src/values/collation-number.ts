import { NUMBER } from './collation-table.js'

const COMMON = 0x05000500
const MAX_DIGITS = 254

/** Elements of a run of digits with numericOrdering, in ICU's weights: by value, without the zeros in front. */
export function putNumber (elements: number[], digits: readonly number[]): void {
  let at = 0
  do {
    while (at < digits.length - 1 && digits[at] === 0) at++
    const piece = digits.slice(at, at + MAX_DIGITS)
    at += piece.length
    if (!putSmall(elements, piece)) putLarge(elements, piece)
  } while (at < digits.length)
}

const primary = (second: number, third = 0, fourth = 0): number => NUMBER + second * 0x10000 + third * 0x100 + fourth

/** Numbers up to 1042489 in two to four bytes: their second byte is 2 to 75, 76 to 115 or 116 to 131. */
function putSmall (elements: number[], digits: readonly number[]): boolean {
  if (digits.length > 7) return false
  const value = digits.reduce((sum, digit) => sum * 10 + digit, 0)
  const medium = value - 74
  const large = medium - 40 * 254
  if (medium < 0) elements.push(primary(2 + value), COMMON)
  else if (large < 0) elements.push(primary(76 + Math.floor(medium / 254), 2 + medium % 254), COMMON)
  else if (large < 16 * 254 * 254) {
    const rest = Math.floor(large / 254)
    elements.push(primary(116 + Math.floor(rest / 254), 2 + rest % 254, 2 + large % 254), COMMON)
  } else return false
  return true
}

/** Larger ones as the number of their pairs of digits, then the pairs; pairs 00 at the end are left out and the last one is marked. */
function putLarge (elements: number[], digits: readonly number[]): void {
  const pairs = pairsOf(digits)
  const bytes = [128 + Math.ceil(digits.length / 2), ...pairs.map((pair, i) => 11 + 2 * pair - (i === pairs.length - 1 ? 1 : 0))]
  for (let i = 0; i < bytes.length; i += 3) elements.push(primary(bytes[i], bytes[i + 1] ?? 0, bytes[i + 2] ?? 0), COMMON)
}

function pairsOf (digits: readonly number[]): number[] {
  const pairs: number[] = digits.length % 2 === 1 ? [digits[0]] : []
  for (let i = pairs.length; i < digits.length; i += 2) pairs.push(digits[i] * 10 + digits[i + 1])
  return pairs.slice(0, pairs.findLastIndex(pair => pair !== 0) + 1)
}
