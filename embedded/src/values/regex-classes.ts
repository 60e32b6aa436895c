import { complement } from './regex-ast.js'
import type { Range } from './regex-ast.js'

const codes = (text: string): Range[] => Array.from(text, c => [c.codePointAt(0)!, c.codePointAt(0)!] as const)

const DIGIT: readonly Range[] = [[48, 57]]
const UPPER: readonly Range[] = [[65, 90]]
const LOWER: readonly Range[] = [[97, 122]]
const SPACE: readonly Range[] = [[9, 13], [32, 32]]
const WORD: readonly Range[] = [...DIGIT, ...UPPER, ...LOWER, [95, 95]]
const HORIZONTAL = codes('\t \u00a0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000')
const VERTICAL = codes('\n\v\f\r\u0085\u2028\u2029')

/** The classes of one letter: without Unicode properties they know ASCII only. */
export const LETTER_CLASSES: ReadonlyMap<string, readonly Range[]> = new Map([
  ['d', DIGIT], ['D', complement(DIGIT)], ['w', WORD], ['W', complement(WORD)], ['s', SPACE], ['S', complement(SPACE)],
  ['h', HORIZONTAL], ['H', complement(HORIZONTAL)], ['v', VERTICAL], ['V', complement(VERTICAL)], ['N', complement([[10, 10]])]
])

export const POSIX_CLASSES: ReadonlyMap<string, readonly Range[]> = new Map<string, readonly Range[]>([
  ['alpha', [...UPPER, ...LOWER]], ['digit', DIGIT], ['alnum', [...DIGIT, ...UPPER, ...LOWER]], ['upper', UPPER], ['lower', LOWER], ['space', SPACE],
  ['blank', [[9, 9], [32, 32]]], ['punct', [[33, 47], [58, 64], [91, 96], [123, 126]]], ['xdigit', [[48, 57], [65, 70], [97, 102]]],
  ['cntrl', [[0, 31], [127, 127]]], ['graph', [[33, 126]]], ['print', [[32, 126]]], ['word', WORD], ['ascii', [[0, 127]]]
])

export const CONTROL_ESCAPES: ReadonlyMap<string, number> = new Map([['t', 9], ['n', 10], ['r', 13], ['f', 12], ['e', 27], ['a', 7]])

/** @param name such as Lu, L& or Greek; @returns the source of a JavaScript property class, undefined if there is no such property */
export function propertySource (name: string, negated: boolean): string | undefined {
  const inner = name.startsWith('^')
  const plain = inner ? name.slice(1) : name
  const letter = inner !== negated ? 'P' : 'p'
  const candidates = plain === 'L&' ? [`\\${letter}{LC}`] : [`\\${letter}{${plain}}`, `\\${letter}{Script=${plain}}`]
  return candidates.find(source => /^\w+$|^L&$/.test(plain) && isPattern(source))
}

function isPattern (source: string): boolean {
  try {
    return new RegExp(source, 'u').source !== ''
  } catch {
    return false
  }
}
