// Writes src/values/collation-table.ts from the ICU data of the Node that runs it: node --import tsx embedded/scripts/collation-table.ts
// The table is committed, because the keys of stored indexes must not change with the version of Node.
import { writeFileSync } from 'node:fs'

const collator = (sensitivity: 'base' | 'accent' | 'variant'): Intl.Collator => new Intl.Collator('und', { sensitivity })
const base = collator('base')
const accent = collator('accent')
const variant = collator('variant')

const RANGES = [[0, 0x2fff], [0x3000, 0x33ff], [0xa640, 0xa7ff], [0xab30, 0xab6f], [0xfb00, 0xfb06], [0xfe00, 0xfe6f], [0xff00, 0xffff], [0x1f000, 0x1faff]]
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const PAIRS = Array.from(LETTERS, a => Array.from(LETTERS, b => a + b)).flat()
/** Room between two marks for characters that differ from their base by something that no mark expresses. */
const STEP = 32

const decomposed = (c: string): string => c.normalize('NFD')
const parts = (c: string): string[] => Array.from(c.normalize('NFKD'))
const pointOf = (c: string): number => c.codePointAt(0)!

function characters (): string[] {
  const found: string[] = []
  for (const [from, to] of RANGES) {
    for (let point = from; point <= to; point++) {
      const c = String.fromCodePoint(point)
      if (!/\p{Cn}|\p{Cs}|\p{Co}/u.test(c)) found.push(c)
    }
  }
  return found
}

/** Sorted, and grouped by what the collator takes for equal. */
function grouped (chars: string[], same: (a: string, b: string) => boolean, order: (a: string, b: string) => number): string[][] {
  const groups: string[][] = []
  for (const c of chars.toSorted(order)) {
    const last = groups.at(-1)
    if (last !== undefined && same(last[0], c)) last.push(c)
    else groups.push([c])
  }
  return groups
}

/** Writes code points as base-36 distances from the one expected next. */
class Points {
  #next = 0

  write (c: string): string {
    const distance = pointOf(c) - this.#next
    this.#next = pointOf(c) + 1
    return distance === 0 ? '' : distance.toString(36)
  }
}

const all = characters()
const isOwn = (c: string): boolean => decomposed(c) === c || base.compare(c, Array.from(decomposed(c))[0]) !== 0
const own = all.filter(isOwn)
const ignorable = own.filter(c => variant.compare(c, '') === 0)
const marks = own.filter(c => variant.compare(c, '') !== 0 && base.compare(c, '') === 0)
const markGroups = grouped(marks, (a, b) => accent.compare(`a${a}`, `a${b}`) === 0, (a, b) => variant.compare(`a${a}`, `a${b}`))
const isExpansion = (c: string): boolean => parts(c).length > 1 && decomposed(c) === c && base.compare(c, c.normalize('NFKD')) === 0
const pairOf = (c: string): string | undefined =>
  /\p{Script=Latin}/u.test(c) && parts(c).length === 1 ? PAIRS.find(pair => base.compare(pair, c) === 0) : undefined
const single = own.filter(c => base.compare(c, '') !== 0 && !isExpansion(c))
const pairs = single.filter(c => pairOf(c) !== undefined)
const letters = single.filter(c => pairOf(c) === undefined)

/** The secondary weight of a character relative to the first of its group: that of a mark, or one between two marks. */
function secondary (c: string, build: (mark: string) => string): number {
  const at = markGroups.findIndex(([mark]) => accent.compare(build(mark), c) >= 0)
  if (at < 0) return markGroups.length * STEP + 1
  return accent.compare(build(markGroups[at][0]), c) === 0 ? (at + 1) * STEP : at * STEP + 1
}

function writeGroup (group: string[], points: Points): string {
  let text = ''
  let weight = 0
  for (let i = 0; i < group.length; i++) {
    const sameAccent = i === 0 || accent.compare(group[i - 1], group[i]) === 0
    if (!sameAccent) weight = Math.max(secondary(group[i], mark => group[0] + mark), weight + 1)
    const separator = i === 0 ? '<' : !sameAccent ? `;${weight.toString(36)}:` : variant.compare(group[i - 1], group[i]) === 0 ? '=' : ','
    text += separator + points.write(group[i])
  }
  return text
}

function writeLetters (): string {
  const points = new Points()
  return grouped(letters, (a, b) => base.compare(a, b) === 0, variant.compare).map(group => writeGroup(group, points)).join('')
}

function writeMarks (): string {
  const points = new Points()
  return markGroups.map(group => group.map((c, i) => (i === 0 ? '<' : '=') + points.write(c)).join('')).join('')
}

const writePairs = (): string => grouped(pairs, (a, b) => accent.compare(a, b) === 0, variant.compare).map(group => {
  const pair = pairOf(group[0])!
  const weight = accent.compare(pair, group[0]) === 0 ? 0 : secondary(group[0], mark => pair[0] + mark + pair[1])
  return `${pair}${weight}:${group.map(c => pointOf(c).toString(36)).join(',')}`
}).join(';')

function writeRanges (chars: string[]): string {
  const points = chars.map(pointOf)
  const starts = points.filter((p, i) => points[i - 1] !== p - 1)
  return starts.map(start => {
    let end = start
    while (points.includes(end + 1)) end++
    return `${start.toString(36)}-${(end - start).toString(36)}`
  }).join(',')
}

/** A run of groups of one character each, at consecutive points, is written as its length. */
const shortened = (text: string): string => text.replace(/<{3,}/g, run => `<*${run.length}.`)

function constant (name: string, comment: string, text: string): string {
  const lines = text.match(/.{1,150}/gs)!.map(line => `  '${line}'`)
  return `/** ${comment} */\nexport const ${name} =\n${lines.join(' +\n')}\n`
}

writeFileSync(new URL('../src/values/collation-table.ts', import.meta.url), [
  `// Written by scripts/collation-table.ts from ICU ${process.versions.icu}, Unicode ${process.versions.unicode}. Do not edit: stored keys depend on it.\n`,
  constant('LETTERS', 'Characters with a primary weight in order: < next primary, ;w: secondary weight w, comma tertiary, = equal; points as base-36 distances.',
    shortened(writeLetters())),
  constant('MARKS', 'Combining marks in secondary order.', shortened(writeMarks())),
  constant('PAIRS', 'Letters that count as two: the two letters, the secondary weight between them, the letters of equal accent in tertiary order.', writePairs()),
  constant('IGNORABLE', 'Ranges of characters without any weight.', writeRanges(ignorable)),
  `/** Distance of the secondary weights of two marks. */\nexport const STEP = ${STEP}\n`
].join('\n'))
