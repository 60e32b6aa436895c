import t from 'tap'
import { stemEnglish } from '../src/text/stemmer.js'
import { tokens } from '../src/text/tokenizer.js'
import { told } from './support/expressions.js'
import { codeOf } from './support/filters.js'
import { TestStore } from './support/store.js'

t.test('stems of the Porter 2 vocabulary', async t => {
  const stems = {
    consistency: 'consist',
    consigned: 'consign',
    knackeries: 'knackeri',
    generously: 'generous',
    communism: 'communism',
    happily: 'happili',
    relational: 'relat',
    hopping: 'hop',
    hoping: 'hope',
    agreed: 'agre',
    feed: 'feed',
    conditional: 'condit',
    electrical: 'electr',
    goodness: 'good',
    adjustment: 'adjust',
    skies: 'sky',
    flies: 'fli',
    dying: 'die',
    say: 'say',
    youth: 'youth',
    "client's": 'client',
    agencies: 'agenc',
    agency: 'agenc',
    succeed: 'succeed',
    ties: 'tie',
    gas: 'gas',
    controll: 'control',
    radically: 'radic'
  }
  for (const [word, stem] of Object.entries(stems)) t.equal(stemEnglish(word), stem, word)
})

t.test('tokens: delimiters, stop words, case and diacritics', async t => {
  t.strictSame(tokens("The running client's e-mail, CAFÉ_x; don't", 'english'), ['run', 'client', 'e', 'mail', 'cafe_x'])
  t.strictSame(tokens("The client's E-mail", 'none'), ['the', 'client', 's', 'e', 'mail'])
  t.strictSame(tokens('Café', 'none', { caseSensitive: true, diacriticSensitive: true }), ['Café'])
})

t.test('searches: any term, phrases, negation, case and diacritics, scores', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  store.index({ key: { title: 'text', body: 'text' }, weights: { title: 5 }, name: 'txt' })
  store.insert({ _id: 1, title: 'Running shoes', body: 'for a long run' }, { _id: 2, title: 'Café', body: 'shoes are not allowed' }, { _id: 3, body: ['long', 'walks'] },
    { _id: 4, title: 'The', body: 5 })
  const ids = (search: string, options: object = {}): string => store.ids({ $text: { $search: search, ...options } }).sort().join(' ')
  t.equal(ids('runs'), '1')
  t.equal(ids('cafe walk'), '2 3')
  t.equal(ids('the'), '')
  t.equal(ids('shoes -running'), '2')
  t.equal(ids('"a long run"'), '1')
  t.equal(ids('shoes -"not allowed"'), '1')
  t.equal(ids('cafe', { $diacriticSensitive: true }), '')
  t.equal(ids('café', { $caseSensitive: true }), '')
  t.equal(ids('Café', { $caseSensitive: true, $diacriticSensitive: true }), '2')
  t.equal(ids('long-walk'), '1 3')
  const scored = store.find({ $text: { $search: 'shoes' } }, { projection: { _id: 1, s: { $meta: 'textScore' } }, sort: { s: { $meta: 'textScore' } } })
  t.strictSame(scored.map(told), ['{_id: 1, s: 3.75}', '{_id: 2, s: 0.75}'])
  t.equal(store.explain({ $text: { $search: 'shoes' }, _id: 2 }).stages, 'FETCH TEXT_MATCH')
  t.equal(codeOf(() => ids('x', { $language: 'klingon' })), 2)
  t.equal(codeOf(() => ids('x', { $language: 'german' })), 115)
  store.change({ _id: 1 }, before => before.copy().set('title', 'Boots'))
  t.equal(ids('boot'), '1')
  t.equal(ids('running'), '1', 'of the body')
  t.equal(store.validate().get('valid'), true)
})

t.test('fields before the text need one value each; without an index there is no search', async t => {
  const store = new TestStore()
  t.teardown(() => store.close())
  t.equal(codeOf(() => store.ids({ $text: { $search: 'x' } })), 27)
  store.index({ key: { account: 1, '$**': 'text' }, default_language: 'none', name: 'txt' })
  store.insert({ _id: 1, account: 'a', deep: { er: ['The word'] } }, { _id: 2, account: 'b', x: 'word' })
  t.strictSame(store.ids({ account: 'a', $text: { $search: 'the' } }), ['1'])
  t.equal(codeOf(() => store.ids({ $text: { $search: 'word' } })), 291)
  t.equal(codeOf(() => store.ids({ account: { $gt: 'a' }, $text: { $search: 'word' } })), 291)
  t.equal(codeOf(() => store.insert({ _id: 3, account: ['x', 'y'], t: 'z' })), 16675)
})
