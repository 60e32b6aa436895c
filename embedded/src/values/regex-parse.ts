import { notSupported } from './errors.js'
import { RegexSyntaxError, charSource, complement, setSource } from './regex-ast.js'
import type { AssertKind, ParsedRegex, Range, RegexNode, RepeatMode, Single } from './regex-ast.js'
import { CONTROL_ESCAPES, LETTER_CLASSES, POSIX_CLASSES, propertySource } from './regex-classes.js'

type Flags = { i: boolean, m: boolean, s: boolean, x: boolean }

const MAX_REPEAT = 65535
const MAX_DEPTH = 250
const ASSERTS: ReadonlyMap<string, AssertKind> = new Map([['b', 'word'], ['B', 'notWord'], ['A', 'start'], ['z', 'end'], ['Z', 'endOrNewline']])
const LINE_BREAK = setSource([[10, 13], [0x85, 0x85], [0x2028, 0x2029]], [], false)

const single = (source: string, ignoreCase: boolean, cased: boolean): Single => ({ type: 'single', source, ignoreCase, cased })
const fail = (message: string): RegexSyntaxError => new RegexSyntaxError(message)
const EMPTY: RegexNode = { type: 'sequence', parts: [] }

type Escape = { readonly ranges: readonly Range[], readonly property?: string } | { readonly code: number }

/** Reads a PCRE pattern; what it says with \K, recursion, conditions and verbs is refused. */
export class RegexParser {
  private at = 0
  private depth = 0
  private groups = 0
  private readonly names = new Map<string, number>()
  private readonly references: { index?: number, name?: string, node: { type: 'reference', index: number, ignoreCase: boolean } }[] = []
  private readonly text: readonly string[]

  constructor (pattern: string, private flags: Flags) {
    this.text = [...pattern]
  }

  parse (): ParsedRegex {
    const root = this.choice()
    if (this.at < this.text.length) throw fail('unmatched closing parenthesis')
    for (const { index, name, node } of this.references) {
      node.index = index ?? this.names.get(name!) ?? Infinity
      if (node.index > this.groups || node.index < 1) throw fail('reference to non-existent subpattern')
    }
    return { root, groups: this.groups }
  }

  private get next (): string | undefined {
    return this.text[this.at]
  }

  private looksAt (text: string): boolean {
    return this.text.slice(this.at, this.at + text.length).join('') === text
  }

  private skip (text: string): boolean {
    if (!this.looksAt(text)) return false
    this.at += text.length
    return true
  }

  private choice (): RegexNode {
    if (++this.depth > MAX_DEPTH) throw fail('parentheses are too deeply nested')
    const outer = { ...this.flags }
    const options = [this.sequence()]
    while (this.skip('|')) options.push(this.sequence())
    this.flags = outer
    this.depth--
    return options.length === 1 ? options[0] : { type: 'choice', options }
  }

  private sequence (): RegexNode {
    const parts: RegexNode[] = []
    for (;;) {
      this.skipExtended()
      if (this.next === undefined || this.next === '|' || this.next === ')') break
      if (this.skip('\\Q')) parts.push(...this.quoted())
      else if (!this.skip('\\E')) parts.push(this.repeated(this.atom()))
    }
    return parts.length === 1 ? parts[0] : { type: 'sequence', parts }
  }

  private skipExtended (): void {
    if (!this.flags.x) return
    const m = /^(?:[ \t-\r]|#[^\n]*(?:\n|$))*/.exec(this.text.slice(this.at).join(''))!
    this.at += [...m[0]].length
  }

  private quoted (): RegexNode[] {
    const parts: RegexNode[] = []
    while (this.next !== undefined && !this.skip('\\E')) parts.push(this.literal(this.text[this.at++].codePointAt(0)!))
    const last = parts.pop()
    return last === undefined ? [] : [...parts, this.repeated(last)]
  }

  private literal (code: number): Single {
    return single(charSource(code), this.flags.i, /\p{L}|\p{M}|\p{N}|\p{S}/u.test(String.fromCodePoint(code)))
  }

  private atom (): RegexNode {
    const c = this.text[this.at++]
    switch (c) {
      case '.': return single(this.flags.s ? setSource([[0, 0x10ffff]], [], false) : setSource([[10, 10]], [], true), false, false)
      case '^': return { type: 'assert', kind: this.flags.m ? 'lineStart' : 'start' }
      case '$': return { type: 'assert', kind: this.flags.m ? 'lineEnd' : 'endOrNewline' }
      case '[': return this.set()
      case '(': return this.group()
      case '\\': return this.escape()
      case '*': case '+': case '?': throw fail('quantifier does not follow a repeatable item')
      default: return this.literal(c.codePointAt(0)!)
    }
  }

  private repeated (body: RegexNode): RegexNode {
    this.skipExtended()
    const bounds = this.quantifier()
    if (bounds === undefined) return body
    const mode: RepeatMode = this.skip('?') ? 'lazy' : this.skip('+') ? 'possessive' : 'greedy'
    // A repeated assertion is tried once at most.
    const [min, max] = body.type === 'assert' || body.type === 'look' ? [Math.min(bounds[0], 1), Math.min(bounds[1], 1)] : bounds
    return { type: 'repeat', body, min, max, mode }
  }

  private quantifier (): [number, number] | undefined {
    if (this.skip('*')) return [0, Infinity]
    if (this.skip('+')) return [1, Infinity]
    if (this.skip('?')) return [0, 1]
    if (this.next !== '{') return undefined
    const m = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.text.slice(this.at, this.at + 16).join(''))
    if (m === null) return undefined
    this.at += m[0].length
    const min = Number(m[1])
    const max = m[2] === undefined ? min : m[3] === '' ? Infinity : Number(m[3])
    if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Infinity)) throw fail('number too big in {} quantifier')
    if (max < min) throw fail('numbers out of order in {} quantifier')
    return [min, max]
  }

  private group (): RegexNode {
    if (this.looksAt('*')) throw notSupported('A verb in a regular expression')
    if (!this.skip('?')) return this.capture()
    if (this.skip('#')) return this.comment()
    if (this.skip(':')) return this.closed(this.choice())
    if (this.skip('>')) return { type: 'atomic', body: this.closed(this.choice()) }
    if (this.skip('=')) return this.look(false, false)
    if (this.skip('!')) return this.look(false, true)
    if (this.skip('<=')) return this.look(true, false)
    if (this.skip('<!')) return this.look(true, true)
    if (this.skip('P=')) return this.namedReference(')')
    if (this.skip('P<') || this.skip('<')) return this.named('>')
    if (this.skip("'")) return this.named("'")
    if (/^[R&|(0-9+]$/.test(this.next ?? '') || this.looksAt('P>')) throw notSupported('This group in a regular expression')
    return this.options()
  }

  private closed (node: RegexNode): RegexNode {
    if (!this.skip(')')) throw fail('missing closing parenthesis')
    return node
  }

  private capture (): RegexNode {
    const index = ++this.groups
    return { type: 'capture', index, body: this.closed(this.choice()) }
  }

  private look (behind: boolean, negative: boolean): RegexNode {
    return { type: 'look', behind, negative, body: this.closed(this.choice()) }
  }

  private comment (): RegexNode {
    while (this.next !== undefined && this.next !== ')') this.at++
    return this.closed(EMPTY)
  }

  private name (end: string): string {
    let name = ''
    while (this.next !== undefined && /\w/.test(this.next)) name += this.text[this.at++]
    if (name === '' || /^\d/.test(name)) throw fail('subpattern name expected')
    if (!this.skip(end)) throw fail('syntax error in subpattern name (missing terminator?)')
    return name
  }

  private named (end: string): RegexNode {
    const name = this.name(end)
    if (this.names.has(name)) throw fail('two named subpatterns have the same name (PCRE2_DUPNAMES not set)')
    this.names.set(name, this.groups + 1)
    return this.capture()
  }

  private reference (target: { index?: number, name?: string }): RegexNode {
    const node = { type: 'reference' as const, index: 0, ignoreCase: this.flags.i }
    this.references.push({ ...target, node })
    return node
  }

  private namedReference (end: string): RegexNode {
    return this.reference({ name: this.name(end) })
  }

  /** `(?i-m)` for the rest of the group, `(?i-m:...)` for a group of its own. */
  private options (): RegexNode {
    const m = /^(\^?[imsxnJU]*)(?:-([imsxnJU]*))?([:)])/.exec(this.text.slice(this.at, this.at + 24).join(''))
    if (m === null) throw fail(this.next === undefined ? 'missing closing parenthesis' : 'unrecognized character after (? or (?-')
    if (/[nJU^]/.test(m[1] + (m[2] ?? ''))) throw notSupported('This option in a regular expression')
    this.at += m[0].length
    const outer = { ...this.flags }
    for (const flag of m[1]) this.flags[flag as keyof Flags] = true
    for (const flag of m[2] ?? '') this.flags[flag as keyof Flags] = false
    if (m[3] === ')') return EMPTY
    const node = this.closed(this.choice())
    this.flags = outer
    return node
  }

  private escape (): RegexNode {
    const c = this.next
    if (c === undefined) throw fail('\\ at end of pattern')
    const kind = ASSERTS.get(c)
    if (kind !== undefined) {
      this.at++
      return { type: 'assert', kind }
    }
    if (/[KXCG]/.test(c)) throw notSupported(`\\${c} in a regular expression`)
    if (this.skip('R')) return { type: 'atomic', body: { type: 'choice', options: [this.lineBreak(), single(LINE_BREAK, false, false)] } }
    if (/[1-9gk]/.test(c)) return this.backReference()
    const escaped = this.characterEscape(false)
    if ('code' in escaped) return this.literal(escaped.code)
    if (escaped.property !== undefined) return single(escaped.property, false, false)
    return single(setSource(escaped.ranges, [], false), false, false)
  }

  private lineBreak (): RegexNode {
    return { type: 'sequence', parts: [this.literal(13), this.literal(10)] }
  }

  private backReference (): RegexNode {
    const rest = this.text.slice(this.at, this.at + 40).join('')
    const m = /^(?:g\{?(-?)(\d+)\}?|k(?:<(\w+)>|\{(\w+)\}|'(\w+)')|g\{(\w+)\}|([1-9]\d?))/.exec(rest)
    if (m === null) throw fail('a numbered reference must not be zero')
    const name = m[3] ?? m[4] ?? m[5] ?? m[6]
    const number = Number(m[2] ?? m[7])
    // \10 and higher are octal characters unless there are that many groups before.
    if (m[7] !== undefined && number > 9 && number > this.groups) return this.literal(this.octal())
    this.at += m[0].length
    return this.reference(name !== undefined ? { name } : { index: m[1] === '-' ? this.groups + 1 - number : number })
  }

  private octal (): number {
    const m = /^[0-7]{1,3}/.exec(this.text.slice(this.at, this.at + 3).join(''))
    if (m === null) throw fail('reference to non-existent subpattern')
    this.at += m[0].length
    return parseInt(m[0], 8)
  }

  /** An escape that stands for characters; the backslash has been read. */
  private characterEscape (inSet: boolean): Escape {
    const c = this.text[this.at++]
    const ranges = LETTER_CLASSES.get(c)
    if (ranges !== undefined) return { ranges }
    const control = CONTROL_ESCAPES.get(c)
    if (control !== undefined) return { code: control }
    if (c === 'x') return { code: this.hexadecimal() }
    if (c === 'o') return { code: this.braced(/^\{([0-7]+)\}/, 8) }
    if (c === 'c') return { code: (this.text[this.at++] ?? '').toUpperCase().charCodeAt(0) ^ 64 }
    if (c === 'p' || c === 'P') return { ranges: [], property: this.property(c === 'P') }
    if (c === '0' || (inSet && /[1-7]/.test(c))) {
      this.at--
      return { code: this.octal() }
    }
    if (inSet && c === 'b') return { code: 8 }
    if (/[a-zA-Z0-9]/.test(c)) throw fail('unrecognized character follows \\')
    return { code: c.codePointAt(0)! }
  }

  private hexadecimal (): number {
    if (this.next === '{') return this.braced(/^\{([0-9a-f]+)\}/i, 16)
    const m = /^[0-9a-f]{0,2}/i.exec(this.text.slice(this.at, this.at + 2).join(''))!
    this.at += m[0].length
    return m[0] === '' ? 0 : parseInt(m[0], 16)
  }

  private braced (pattern: RegExp, base: number): number {
    const m = pattern.exec(this.text.slice(this.at, this.at + 16).join(''))
    if (m === null) throw fail('digits missing in \\x{} or \\o{} or \\N{U+}')
    this.at += m[0].length
    const code = parseInt(m[1], base)
    if (code > 0x10ffff) throw fail('character code point value in \\x{} or \\o{} is too large')
    return code
  }

  private property (negated: boolean): string {
    const m = /^(?:\{([^}]*)\}|([A-Z]))/.exec(this.text.slice(this.at, this.at + 40).join(''))
    const source = m === null ? undefined : propertySource(m[1] ?? m[2], negated)
    if (m === null || source === undefined) throw fail(m === null ? 'malformed \\P or \\p sequence' : 'unknown property after \\P or \\p')
    this.at += m[0].length
    return source
  }

  private set (): RegexNode {
    const negated = this.skip('^')
    const ranges: Range[] = []
    const properties: string[] = []
    // A bracket that comes first is an ordinary character.
    for (let first = true; first || this.next !== ']'; first = false) {
      if (this.next === undefined) throw fail('missing terminating ] for character class')
      if (!this.skip('\\E')) this.setItem(ranges, properties)
    }
    this.at++
    return single(setSource(ranges, properties, negated), this.flags.i, true)
  }

  private setItem (ranges: Range[], properties: string[]): void {
    const low = this.setMember()
    if (!('code' in low)) {
      ranges.push(...low.ranges)
      if (low.property !== undefined) properties.push(low.property)
      return
    }
    if (this.next !== '-' || this.text[this.at + 1] === ']' || this.text[this.at + 1] === undefined) {
      ranges.push([low.code, low.code])
      return
    }
    this.at++
    const high = this.setMember()
    if (!('code' in high)) ranges.push([low.code, low.code], [45, 45], ...high.ranges)
    else if (high.code < low.code) throw fail('range out of order in character class')
    else ranges.push([low.code, high.code])
  }

  private setMember (): Escape {
    const m = this.next === '[' ? /^\[([:.=])(\^?)(\w*)\1\]/.exec(this.text.slice(this.at, this.at + 16).join('')) : null
    if (m !== null) return this.posixClass(m)
    const c = this.text[this.at++]
    if (c !== '\\') return { code: c.codePointAt(0)! }
    if (this.next === undefined) throw fail('\\ at end of pattern')
    return this.characterEscape(true)
  }

  private posixClass (m: RegExpExecArray): Escape {
    if (m[1] !== ':') throw fail('POSIX collating elements are not supported')
    const ranges = POSIX_CLASSES.get(m[3])
    if (ranges === undefined) throw fail('unknown POSIX class name')
    this.at += m[0].length
    return { ranges: m[2] === '^' ? complement(ranges) : ranges }
  }
}
