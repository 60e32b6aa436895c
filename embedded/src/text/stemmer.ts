/** The English (Porter 2) stemmer of the Snowball project, by its published description. */

const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ['skis', 'ski'], ['skies', 'sky'], ['dying', 'die'], ['lying', 'lie'], ['tying', 'tie'], ['idly', 'idl'], ['gently', 'gentl'], ['ugly', 'ugli'],
  ['early', 'earli'], ['only', 'onli'], ['singly', 'singl'], ['sky', 'sky'], ['news', 'news'], ['howe', 'howe'], ['atlas', 'atlas'],
  ['cosmos', 'cosmos'], ['bias', 'bias'], ['andes', 'andes']
])
const FINISHED_EARLY: ReadonlySet<string> = new Set(['inning', 'outing', 'canning', 'herring', 'earring', 'proceed', 'exceed', 'succeed'])

const isVowel = (c: string): boolean => c !== '' && 'aeiouy'.includes(c)
const hasVowel = (text: string): boolean => /[aeiouy]/.test(text)
const DOUBLE = /(bb|dd|ff|gg|mm|nn|pp|rr|tt)$/

type Word = { text: string, r1: number, r2: number }

export function stemEnglish (word: string): string {
  if (word.length <= 2) return word
  const exception = EXCEPTIONS.get(word)
  if (exception !== undefined) return exception
  const text = markConsonantY(word.startsWith("'") ? word.slice(1) : word)
  const r1 = regionOne(text)
  const state: Word = { text, r1, r2: regionAfter(text, r1) }
  step0(state)
  step1a(state)
  if (FINISHED_EARLY.has(state.text)) return state.text
  step1b(state)
  step1c(state)
  step2(state)
  step3(state)
  step4(state)
  step5(state)
  return state.text.replaceAll('Y', 'y')
}

/** A y at the start or behind a vowel is a consonant, written Y. */
function markConsonantY (text: string): string {
  let marked = ''
  for (let i = 0; i < text.length; i++) marked += text[i] === 'y' && (i === 0 || isVowel(marked[i - 1])) ? 'Y' : text[i]
  return marked
}

/** Where the region behind the first non-vowel after a vowel starts. */
function regionAfter (text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) if (!isVowel(text[i]) && isVowel(text[i - 1])) return i + 1
  return text.length
}

function regionOne (text: string): number {
  for (const prefix of ['gener', 'commun', 'arsen']) if (text.startsWith(prefix)) return prefix.length
  return regionAfter(text, 0)
}

/** The longest of the suffixes that the word has. */
const longest = (text: string, suffixes: readonly string[]): string | undefined => suffixes.find(suffix => text.endsWith(suffix))

const cut = (word: Word, suffix: string, replacement = ''): void => {
  word.text = word.text.slice(0, word.text.length - suffix.length) + replacement
}

const before = (word: Word, suffix: string): string => word.text.slice(0, word.text.length - suffix.length)
const inR1 = (word: Word, suffix: string): boolean => word.text.length - suffix.length >= word.r1
const inR2 = (word: Word, suffix: string): boolean => word.text.length - suffix.length >= word.r2

function endsInShortSyllable (text: string): boolean {
  const n = text.length
  if (n < 2 || isVowel(text[n - 1]) || !isVowel(text[n - 2])) return false
  if (n === 2) return true
  return !isVowel(text[n - 3]) && !'wxY'.includes(text[n - 1])
}

const isShort = (word: Word): boolean => word.r1 >= word.text.length && endsInShortSyllable(word.text)

function step0 (word: Word): void {
  const suffix = longest(word.text, ["'s'", "'s", "'"])
  if (suffix !== undefined) cut(word, suffix)
}

function step1a (word: Word): void {
  const suffix = longest(word.text, ['sses', 'ied', 'ies', 'us', 'ss', 's'])
  if (suffix === 'sses') cut(word, suffix, 'ss')
  else if (suffix === 'ied' || suffix === 'ies') cut(word, suffix, before(word, suffix).length > 1 ? 'i' : 'ie')
  else if (suffix === 's' && hasVowel(word.text.slice(0, -2))) cut(word, suffix)
}

function step1b (word: Word): void {
  const suffix = longest(word.text, ['eedly', 'ingly', 'edly', 'eed', 'ing', 'ed'])
  if (suffix === undefined) return
  if (suffix === 'eed' || suffix === 'eedly') {
    if (inR1(word, suffix)) cut(word, suffix, 'ee')
    return
  }
  if (!hasVowel(before(word, suffix))) return
  cut(word, suffix)
  if (/(at|bl|iz)$/.test(word.text)) word.text += 'e'
  else if (DOUBLE.test(word.text)) word.text = word.text.slice(0, -1)
  else if (isShort(word)) word.text += 'e'
}

function step1c (word: Word): void {
  const { text } = word
  const n = text.length
  if (n > 2 && (text[n - 1] === 'y' || text[n - 1] === 'Y') && !isVowel(text[n - 2])) word.text = `${text.slice(0, -1)}i`
}

type Rule = readonly [suffix: string, replacement: string]

const byLength = (rules: readonly Rule[]): readonly Rule[] => [...rules].sort(([a], [b]) => b.length - a.length)

const STEP2 = byLength([
  ['tional', 'tion'], ['enci', 'ence'], ['anci', 'ance'], ['abli', 'able'], ['entli', 'ent'], ['izer', 'ize'], ['ization', 'ize'], ['ational', 'ate'],
  ['ation', 'ate'], ['ator', 'ate'], ['alism', 'al'], ['aliti', 'al'], ['alli', 'al'], ['fulness', 'ful'], ['ousli', 'ous'], ['ousness', 'ous'],
  ['iveness', 'ive'], ['iviti', 'ive'], ['biliti', 'ble'], ['bli', 'ble'], ['ogi', 'og'], ['fulli', 'ful'], ['lessli', 'less'], ['li', '']
])

function step2 (word: Word): void {
  const rule = STEP2.find(([suffix]) => word.text.endsWith(suffix))
  if (rule === undefined || !inR1(word, rule[0])) return
  const last = before(word, rule[0]).at(-1) ?? ''
  if (rule[0] === 'ogi' && last !== 'l') return
  if (rule[0] === 'li' && (last === '' || !'cdeghkmnrt'.includes(last))) return
  cut(word, rule[0], rule[1])
}

const STEP3 = byLength([
  ['tional', 'tion'], ['ational', 'ate'], ['alize', 'al'], ['icate', 'ic'], ['iciti', 'ic'], ['ical', 'ic'], ['ful', ''], ['ness', ''], ['ative', '']
])

function step3 (word: Word): void {
  const rule = STEP3.find(([suffix]) => word.text.endsWith(suffix))
  if (rule === undefined || !inR1(word, rule[0])) return
  if (rule[0] === 'ative' && !inR2(word, rule[0])) return
  cut(word, rule[0], rule[1])
}

const STEP4 = ['ement', 'ance', 'ence', 'able', 'ible', 'ment', 'ant', 'ent', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize', 'ion', 'al', 'er', 'ic']

function step4 (word: Word): void {
  const suffix = longest(word.text, STEP4)
  if (suffix === undefined || !inR2(word, suffix)) return
  if (suffix === 'ion' && !/[st]$/.test(before(word, suffix))) return
  cut(word, suffix)
}

function step5 (word: Word): void {
  const rest = word.text.slice(0, -1)
  if (word.text.endsWith('e')) {
    if (inR2(word, 'e') || (inR1(word, 'e') && !endsInShortSyllable(rest))) word.text = rest
  } else if (word.text.endsWith('l') && inR2(word, 'l') && rest.endsWith('l')) word.text = rest
}
