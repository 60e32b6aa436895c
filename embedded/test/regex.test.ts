import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { MongoError } from '../src/values/errors.js'
import { compileRegex, RegexSyntaxError } from '../src/values/regex.js'
import { RegexMachine } from '../src/values/regex-machine.js'
import { RegexParser } from '../src/values/regex-parse.js'

const NONE = { i: false, m: false, s: false, x: false }

const found = (pattern: string, options: string, text: string): unknown => {
  const hit = compileRegex(pattern, options).exec(text)
  return hit === undefined ? undefined : [text.slice(hit.start, hit.end), ...hit.groups]
}

t.test('what PCRE says differently from JavaScript', async t => {
  const cases: [pattern: string, options: string, text: string, result: unknown][] = [
    ['^a.c$', '', 'abc\n', ['abc']], ['^a.c$', '', 'abc\n\n', undefined], ['a.c', '', 'a\rc', ['a\rc']], ['a.c', '', 'a\nc', undefined],
    ['a.c', 's', 'a\nc', ['a\nc']],
    ['^b', '', 'a\nb', undefined], ['^b', 'm', 'a\nb', ['b']], ['a$', 'm', 'a\nb', ['a']], ['\\Ab', 'm', 'a\nb', undefined], ['b\\Z', '', 'ab\n', ['b']],
    ['b\\z', '', 'ab\n', undefined],
    ['ä', 'i', 'Ä', ['Ä']], ['\\w+', '', 'äb', ['b']], ['\\d', '', '٣', undefined], ['[[:alpha:]]+', '', '12ab', ['ab']], ['[[:^digit:]]', '', '1a', ['a']],
    [' a b # note\n c', 'x', 'abc', ['abc']], ['[ ]a', 'x', ' a', [' a']], ['(?i)abc', '', 'ABC', ['ABC']], ['a(?i)b', '', 'aB', ['aB']],
    ['a(?i)b', '', 'AB', undefined],
    ['a(?i:b)c', '', 'aBc', ['aBc']], ['a(?i:b)c', '', 'aBC', undefined], ['(?-i)a', 'i', 'A', undefined], ['a++a', '', 'aaa', undefined],
    ['(?>a+)a', '', 'aaa', undefined],
    ['a{,2}', '', 'a{,2}', ['a{,2}']], ['x{1', '', 'x{1', ['x{1']], ['\\Qa.b\\E+', '', 'a.bb', ['a.bb']], ['(?P<y>a)(?P=y)', '', 'aa', ['aa', 'a']],
    ['(?<y>a)\\k<y>', '', 'aa', ['aa', 'a']],
    ['(a)|b\\1', '', 'b', undefined], ['(?:(a)|b)*', '', 'ab', ['ab', 'a']], ['\\x{1F600}', '', '😀', ['😀']], ['^.$', '', '😀', ['😀']],
    ['[^a]', '', '😀', ['😀']], ['\\p{Lu}', '', 'aÄ', ['Ä']],
    ['\\p{Greek}', '', 'aβ', ['β']], ['\\R', '', 'a\r\nb', ['\r\n']], ['\\h', '', 'a\u00a0', ['\u00a0']], ['[]a]', '', ']', [']']],
    ['[a\\-z]', '', '-', ['-']], ['[\\d-x]', '', '-', ['-']],
    ['(?<=ab)c', '', 'abc', ['c']], ['(?<!a)c', '', 'ac', undefined], ['(?<=a|bc)d', '', 'bcd', ['d']], ['a(?=b)', '', 'ab', ['a']],
    ['a(?!b)', '', 'ab', undefined], ['(?#note)a', '', 'a', ['a']],
    ['\\/\\-\\_', '', '/-_', ['/-_']], ['\\07', '', '\x07', ['\x07']], ['(a?)*b', '', 'aab', ['aab', '']], ['(|a)+', '', 'aaa', ['', '']],
    ['a|b', 'u', 'b', ['b']]
  ]
  for (const [pattern, options, text, result] of cases) t.same(found(pattern, options, text), result, `/${pattern}/${options} in ${JSON.stringify(text)}`)
})

function isSyntaxError (pattern: string): boolean {
  try {
    return compileRegex(pattern, '') === undefined
  } catch (e) {
    return e instanceof RegexSyntaxError
  }
}

t.test('errors in the words of PCRE', async t => {
  const cases: [string, RegExp][] = [
    ['(', /missing closing parenthesis/], [')', /unmatched closing parenthesis/], ['[a', /missing terminating \]/], ['*', /quantifier does not follow/],
    ['a**', /quantifier/],
    ['\\', /at end of pattern/], ['[z-a]', /range out of order/], ['a{3,2}', /numbers out of order/], ['a{70000}', /number too big/],
    ['\\q', /unrecognized character follows/],
    ['\\2(a)', /non-existent subpattern/], ['(?<a>x)(?<a>y)', /same name/], ['[[:nope:]]', /unknown POSIX/], ['\\p{Nope}', /unknown property/],
    ['(?<=a*)b', /not fixed length/],
    ['('.repeat(300) + ')'.repeat(300), /too deeply nested/]
  ]
  for (const [pattern, message] of cases) {
    t.throws(() => compileRegex(pattern, ''), message, pattern)
    t.ok(isSyntaxError(pattern), pattern)
  }
  for (const pattern of ['(?R)', '(?1)', '(?(1)a)', 'a\\Kb', '(*ACCEPT)', '(?|a)']) t.throws(() => compileRegex(pattern, ''), { code: 115 }, pattern)
  t.throws(() => compileRegex('a', 'q'), { code: 51108 })
})

t.test('a catastrophic pattern ends in an error, soon', async t => {
  const text = `${'a'.repeat(5000)}!`
  for (const pattern of ['(a+)+$', '(a|a)*$', '(a|aa)+$', '^(a?){50}a{50}$', '(.*)*x', '(?:a+b?)*c']) {
    const start = performance.now()
    try {
      compileRegex(pattern, '').test(text)
    } catch (e) {
      t.ok(e instanceof MongoError && e.code === 51156, `${pattern}: ${String(e)}`)
    }
    t.ok(performance.now() - start < 3000, `${pattern} took ${performance.now() - start} ms`)
  }
  t.equal(compileRegex('^a.*b.*c', '').test(`a${'-'.repeat(1e6)}b${'-'.repeat(1e6)}c`), true)
  t.equal(compileRegex('x+y', '').test('x'.repeat(1000)), false)
})

t.test('the machine agrees with JavaScript where both mean the same', async () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', 'c')
  const quantified = fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{1,2}', '*?', '+?')).map(([a, q]) => a + q)
  const sequence = fc.array(quantified, { minLength: 1, maxLength: 4 }).map(parts => parts.join(''))
  const group = fc.tuple(fc.array(sequence, { minLength: 1, maxLength: 3 }), fc.constantFrom('(', '(?:', '(?=', '(?!')).map(([options, open]) => `${open}${options.join('|')})`)
  const pattern = fc.tuple(fc.constantFrom('', '^'), fc.array(fc.oneof(sequence, group), { minLength: 1, maxLength: 3 }), fc.constantFrom('', '\\b')).map(([a, parts, z]) => a + parts.join('') + z)
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', ' '), maxLength: 8 })
  fc.assert(fc.property(pattern, text, (source, subject) => {
    const mine = new RegexMachine(new RegexParser(source, NONE).parse()).exec(subject, 0)
    const theirs = new RegExp(source, 'du').exec(subject)
    const pairs = theirs?.indices?.flatMap(pair => pair ?? [-1, -1])
    assert.deepEqual(mine, pairs, `/${source}/ in "${subject}"`)
  }), { numRuns: 400 })
})

t.test('large patterns', async t => {
  const start = performance.now()
  t.equal(compileRegex('abc'.repeat(10000), '').test('abc'.repeat(10001)), true)
  t.equal(compileRegex(`(?>${'abc'.repeat(10000)})`, 'i').test('ABC'.repeat(10001)), true)
  t.equal(compileRegex('(?:(?:a{1,1000}){1,1000}){1,1000}b', '').test('aab'), true)
  t.equal(compileRegex(Array.from({ length: 3000 }, (_, i) => `w${i}`).join('|'), '').test('xw2999'), true)
  t.equal(compileRegex('^(ab|cd)*$', '').test('abcd'.repeat(20000)), true)
  t.ok(performance.now() - start < 2000, `took ${performance.now() - start} ms`)
})
