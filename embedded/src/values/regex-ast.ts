/** Greedy and lazy repeats give back what they took, possessive ones do not. */
export type RepeatMode = 'greedy' | 'lazy' | 'possessive'

export type AssertKind =
  | 'start' | 'end' | 'endOrNewline' // \A \z \Z
  | 'lineStart' | 'lineEnd' // ^ and $ with the option m
  | 'word' | 'notWord'

/**
 * One character by the source of a JavaScript pattern (with the flag `u`) that matches exactly that character; `cased`
 * tells whether ignoring case can make a difference.
 */
export type Single = { readonly type: 'single', readonly source: string, readonly ignoreCase: boolean, readonly cased: boolean }

export type RegexNode =
  | Single
  | { readonly type: 'sequence', readonly parts: readonly RegexNode[] }
  | { readonly type: 'choice', readonly options: readonly RegexNode[] }
  | { readonly type: 'capture', readonly index: number, readonly body: RegexNode }
  | { readonly type: 'atomic', readonly body: RegexNode }
  | { readonly type: 'look', readonly behind: boolean, readonly negative: boolean, readonly body: RegexNode }
  | { readonly type: 'repeat', readonly body: RegexNode, readonly min: number, readonly max: number, readonly mode: RepeatMode }
  | { readonly type: 'assert', readonly kind: AssertKind }
  | { readonly type: 'reference', readonly index: number, readonly ignoreCase: boolean }

export type ParsedRegex = { readonly root: RegexNode, readonly groups: number }

/** What is wrong with a pattern, in PCRE's words; the caller makes it a MongoError with the code of its place (51091 in filters, 51111 in expressions). */
export class RegexSyntaxError extends Error {}

export type Range = readonly [number, number]
const LAST = 0x10ffff

/** The characters that are in none of the ranges. */
export function complement (ranges: readonly Range[]): Range[] {
  const gaps: Range[] = []
  let next = 0
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (low > next) gaps.push([next, low - 1])
    next = Math.max(next, high + 1)
  }
  if (next <= LAST) gaps.push([next, LAST])
  return gaps
}

const escape = (code: number): string => `\\u{${code.toString(16)}}`

/** @param properties sources such as \p{Lu} */
export function setSource (ranges: readonly Range[], properties: readonly string[], negated: boolean): string {
  const inside = ranges.map(([low, high]) => low === high ? escape(low) : `${escape(low)}-${escape(high)}`).join('') + properties.join('')
  return `[${negated ? '^' : ''}${inside}]`
}

export const charSource = escape

export function * children (node: RegexNode): Iterable<RegexNode> {
  if (node.type === 'sequence') yield * node.parts
  else if (node.type === 'choice') yield * node.options
  else if ('body' in node) yield node.body
}
