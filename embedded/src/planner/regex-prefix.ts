/** What a regular expression says about the beginning of the texts that it matches. */
export type RegexPrefix = {
  readonly prefix: string
  /** every text with the prefix matches */
  readonly exact: boolean
}

const META = /[\\^$.|?*+()[\]{}]/

/** The fixed text after an anchor, `^abc` or `\Aabc`; undefined when there is none. */
export function regexPrefix (pattern: string, options: string): RegexPrefix | undefined {
  if (/[ix]/.test(options)) return undefined
  // A multi-line anchor may stand inside the text.
  const anchor = pattern.startsWith('\\A') ? 2 : pattern.startsWith('^') && !options.includes('m') ? 1 : 0
  if (anchor === 0 || pattern.includes('|')) return undefined
  let prefix = ''
  let i = anchor
  while (i < pattern.length) {
    const literal = literalAt(pattern, i)
    if (literal === undefined) break
    const next = i + literal.length
    // The last character is optional or repeated.
    if (next < pattern.length && '*?{'.includes(pattern[next])) break
    prefix += literal.text
    i = next
    if (pattern[i] === '+') break
  }
  const rest = pattern.slice(i)
  if (prefix === '') return undefined
  return { prefix, exact: rest === '' || (rest === '.*' && options.includes('s')) }
}

function literalAt (pattern: string, i: number): { text: string, length: number } | undefined {
  const c = String.fromCodePoint(pattern.codePointAt(i)!)
  if (c !== '\\') return META.test(c) ? undefined : { text: c, length: c.length }
  const escaped = pattern[i + 1]
  if (escaped === undefined || /[A-Za-z0-9]/.test(escaped)) return undefined
  return { text: escaped, length: 2 }
}
