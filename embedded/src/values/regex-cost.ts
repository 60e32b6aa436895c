import { children } from './regex-ast.js'
import type { RegexNode, Single } from './regex-ast.js'

/** Repeats with a bound no higher than this count as written out. */
const FEW = 16

/**
 * With which power of the text's length the time of a backtracking matcher can grow: one for the start unless that is
 * bound, one for each open repeat in a row; without bound for a repeat of something that can match in more ways than one.
 */
export const degree = (root: RegexNode): number => (isBound(root) ? 0 : 1) + repeats(root)

/** Can a match begin at the start of the text only? */
function isBound (node: RegexNode): boolean {
  switch (node.type) {
    case 'assert': return node.kind === 'start'
    case 'sequence': return node.parts.length > 0 && isBound(node.parts[0])
    case 'choice': return node.options.every(isBound)
    case 'capture': case 'atomic': return isBound(node.body)
    default: return false
  }
}

function repeats (node: RegexNode): number {
  if (node.type === 'repeat') {
    const own = node.max > FEW ? 1 : 0
    if (node.max <= 1 || isDetermined(node.body)) return own + repeats(node.body)
    return Infinity
  }
  const parts = Array.from(children(node), repeats)
  return node.type === 'choice' ? Math.max(0, ...parts) : parts.reduce((sum, part) => sum + part, 0)
}

/** Something that matches a text in one way at most, and with no repeat of its own that is open. */
function isDetermined (node: RegexNode): boolean {
  switch (node.type) {
    case 'repeat': return node.min === node.max && node.max <= FEW && isDetermined(node.body)
    case 'reference': return false
    case 'choice': return haveDistinctStarts(node.options) && node.options.every(isDetermined)
    default: return Array.from(children(node)).every(isDetermined)
  }
}

function haveDistinctStarts (options: readonly RegexNode[]): boolean {
  const seen = new Set<number>()
  for (const option of options) {
    const start = firstOf(option)
    if (start === undefined) return false
    const codes = asciiOf(start)
    if (codes === undefined || codes.some(code => seen.has(code))) return false
    for (const code of codes) seen.add(code)
  }
  return true
}

function firstOf (node: RegexNode): Single | undefined {
  if (node.type === 'single') return node
  if (node.type === 'capture' || node.type === 'atomic') return firstOf(node.body)
  return node.type === 'sequence' && node.parts.length > 0 ? firstOf(node.parts[0]) : undefined
}

/** The ASCII characters that fit; undefined if others can fit too. */
function asciiOf ({ source, ignoreCase }: Single): number[] | undefined {
  const pattern = new RegExp(`^${source}$`, ignoreCase ? 'iu' : 'u')
  if (['\u00e9', '\u0416', '\u3042', '\u017f', '\u212a'].some(other => pattern.test(other))) return undefined
  return Array.from({ length: 128 }, (_, code) => code).filter(code => pattern.test(String.fromCharCode(code)))
}
