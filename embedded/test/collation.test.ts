import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { docOf, int } from '../src/values/build.js'
import { Collation } from '../src/values/collation.js'
import { display } from '../src/values/format.js'
import { Doc } from '../src/values/types.js'
import type { Value } from '../src/values/types.js'

type Spec = Record<string, Value>
const make = (spec: Spec = {}): Collation => Collation.parse(docOf({ locale: 'en', ...spec }))!
const sorted = (texts: readonly string[], spec?: Spec): string => texts.toSorted((a, b) => make(spec).compare(a, b)).join(' ')

await t.test('order', async t => {
  t.equal(sorted(['b', 'B', 'a', 'A', 'á', '_', '1', '$', ' ', 'é', 'e', 'z', 'ß', 'ss', 'æ', 'ø', 'o']), '  _ $ 1 a A á æ b B e é o ø ss ß z')
  t.equal(sorted(['a10', 'a2', 'a1', 'a02'], { numericOrdering: true }), 'a1 a2 a02 a10')
  t.equal(sorted(['a', 'A', 'b', 'B'], { caseFirst: 'upper' }), 'A a B b')
  t.equal(make({ strength: int(2) }).compare('Bob', 'bOB'), 0)
  t.not(make({ strength: int(2) }).compare('resume', 'résumé'), 0)
  t.equal(make({ strength: int(1) }).compare('resume', 'RÉSUMÉ'), 0)
  t.equal(make().compare('e\u0301', 'é'), 0)
  t.ok(make({ strength: int(1), caseLevel: true }).compare('a', 'A') < 0)
  t.equal(make({ alternate: 'shifted' }).compare('a-b', 'ab'), 0)
  t.ok(make({ backwards: true }).compare('coté', 'côte') > 0)
  t.ok(make().compare('coté', 'côte') < 0)
})

await t.test('it agrees with ICU', async () => {
  const ICU: [Spec, Intl.CollatorOptions][] = [
    [{ strength: int(1) }, { sensitivity: 'base' }], [{ strength: int(2) }, { sensitivity: 'accent' }], [{}, { sensitivity: 'variant' }],
    [{ numericOrdering: true }, { numeric: true }], [{ caseFirst: 'upper' }, { caseFirst: 'upper' }], [{ strength: int(1), caseLevel: true }, { sensitivity: 'case' }],
    [{ alternate: 'shifted' }, { ignorePunctuation: true }]
  ]
  const letters = [..." aAbBeEéÉèÈëêöÖøØoOßsSzZñÑçüÜ0123456789-_.,'\"@#$æÆœłŁđжЖйёαΑσς漢字ひカ"]
  const word = fc.array(fc.constantFrom(...letters), { maxLength: 5 }).map(list => list.join(''))
  for (const [spec, options] of ICU) {
    const [ours, theirs] = [make(spec), new Intl.Collator('en', options)]
    fc.assert(fc.property(word, word, fc.boolean(), (a, b, near) => {
      const other = near ? a.toUpperCase() : b
      assert.equal(Math.sign(ours.compare(a, other)), theirs.compare(a, other))
    }), { numRuns: 500 })
  }
})

await t.test('keys decide', async t => {
  const collation = make({ strength: int(2), numericOrdering: true })
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
    assert.equal(Buffer.compare(collation.key(a), collation.key(b)), collation.compare(a, b))
  }))
  t.ok(collation.compare('9'.repeat(250), '1' + '0'.repeat(250)) < 0)
  t.equal(collation.compare('0'.repeat(250) + '7', '7'), 0)
})

await t.test('keys are those of ICU, which MongoDB shows in E11000', async t => {
  const cases: [string, Spec, string][] = [
    ['BOB', { strength: int(2) }, '2b452b0107'], ['u0@x.test', { strength: int(2) }, '51120a7a57084f314d4f010d'], ['B', {}, '2b010501dc'],
    ['12', { numericOrdering: true }, '0f0e01050105'], ['1234567890', { numericOrdering: true }, '0f85234f0f7ba7be01060106'],
    ['résumé', {}, '4b314d5141310144884288010c'], ['', {}, '0101'], ['B', { strength: int(1), caseLevel: true }, '2b01f0']
  ]
  for (const [text, spec, hex] of cases) t.equal(make(spec).key(text).toString('hex'), hex, text)
})

await t.test('specifications', async t => {
  t.equal(Collation.parse(docOf({ locale: 'simple' })), undefined)
  t.equal(display(make({ strength: int(2) }).toDoc()), '{ locale: "en", caseLevel: false, caseFirst: "off", strength: 2, numericOrdering: false, ' +
    'alternate: "non-ignorable", maxVariable: "punct", normalization: false, backwards: false, version: "57.1" }')
  t.ok(make({ strength: int(2) }).equals(Collation.parse(make({ strength: int(2) }).toDoc())))
  t.notOk(make().equals(make({ strength: int(1) })))
  t.notOk(make().equals(undefined))
  const refused: [Doc, number][] = [
    [docOf({ strength: int(2) }), 40414], [docOf({ locale: 'xx-nope' }), 2], [docOf({ locale: int(1) }), 14], [docOf({ locale: 'sv' }), 115],
    [docOf({ locale: 'de@collation=phonebook' }), 115], [docOf({ locale: 'en', strength: int(9) }), 2], [docOf({ locale: 'en', strength: int(4) }), 115],
    [docOf({ locale: 'en', strength: 'x' }), 14], [docOf({ locale: 'en', caseFirst: 'x' }), 2], [docOf({ locale: 'en', nope: true }), 40415],
    [docOf({ locale: 'simple', strength: int(1) }), 2], [Doc.of([['locale', 'en'], ['__proto__', 'x']]), 40415]
  ]
  for (const [spec, code] of refused) t.throws(() => Collation.parse(spec), { code }, display(spec))
})
