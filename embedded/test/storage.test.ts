import './support/own-tmp.js'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { openStorage, ParkableReader, TransactionView } from '../src/storage/index.js'
import type { Reader, Storage } from '../src/storage/index.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const key = (text: string): Buffer => Buffer.from(text)
const START = key('\u0002')
const END = Buffer.from([0xff])

const contents = (reader: Reader, reverse = false): string[] =>
  [...reader.range({ start: START, end: END, reverse })].map(({ key, value }) => `${key.toString()}=${value.toString()}`)

type Teardown = { teardown (fn: () => unknown): void }

function folder (test: Teardown): string {
  const dir = mkdtempSync(join(tmpdir(), 'storage-test-'))
  test.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function memory (test: Teardown): Storage {
  const storage = openStorage({ memory: true })
  test.teardown(() => storage.close())
  return storage
}

t.test('a write that throws leaves nothing, neither as the first nor as a later one of its turn', async t => {
  const storage = memory(t)
  t.throws(() => storage.write(w => { w.put(key('a'), key('1')); throw new Error('no') }), /no/)
  storage.write(w => w.put(key('b'), key('2')))
  t.throws(() => storage.write(w => { w.put(key('c'), key('3')); w.delete(key('b')); w.add(key('n'), 5, 5); throw new Error('no') }), /no/)
  storage.write(w => { w.put(key('d'), key('4')); t.equal(w.get(key('b'))?.toString(), '2', 'a later write of the turn sees the earlier') })
  await storage.synced()
  const snapshot = storage.snapshot()
  t.strictSame(contents(snapshot), ['b=2', 'd=4'])
  t.strictSame(snapshot.totals(key('n')), [0, 0])
  snapshot.release()
})

t.test('a snapshot is one state; ranges are half open in both directions', async t => {
  const storage = memory(t)
  storage.write(w => { for (const k of ['a', 'b', 'c', 'd']) w.put(key(k), key(k)) })
  const before = storage.snapshot()
  storage.write(w => { w.put(key('b'), key('changed')); w.delete(key('c')) })
  t.equal(before.get(key('b'))?.toString(), 'b', 'while a write waits for its commit, too')
  const after = storage.snapshot()
  const keys = (reader: Reader, reverse: boolean): string => [...reader.range({ start: key('b'), end: key('d'), reverse })].map(e => e.key.toString()).join('')
  t.equal(keys(before, false), 'bc')
  t.equal(keys(before, true), 'cb')
  t.equal(keys(after, false), 'b')
  t.equal(keys(after, true), 'b')
  t.equal(before.get(key('c'))?.toString(), 'c')
  before.release()
  after.release()
})

t.test('totals add up, also over the writes of one turn', async t => {
  const storage = memory(t)
  storage.write(w => { w.add(key('n'), 1, 10); w.add(key('n'), 1, 10); t.strictSame(w.totals(key('n')), [2, 20]) })
  storage.write(w => { w.add(key('n'), -1, -5) })
  const snapshot = storage.snapshot()
  t.strictSame(snapshot.totals(key('n')), [1, 15])
  snapshot.release()
})

t.test('values and keys of many sizes come back as they were', async t => {
  const storage = memory(t)
  const sizes = [0, 1, 23, 24, 25, 100, 5000, 70000, 3_000_000, 10]
  storage.write(w => sizes.forEach((size, i) => w.put(Buffer.alloc(i * 30 + 1, 0x30 + i), Buffer.alloc(size, i + 1))))
  const snapshot = storage.snapshot()
  const range = [...snapshot.range({ start: START, end: END })]
  t.strictSame(range.map(e => e.value.length), sizes)
  t.ok(range.every(({ key, value }, i) => key.equals(Buffer.alloc(i * 30 + 1, 0x30 + i)) && value.equals(Buffer.alloc(sizes[i], i + 1))))
  t.ok(sizes.every((size, i) => snapshot.get(Buffer.alloc(i * 30 + 1, 0x30 + i))!.equals(Buffer.alloc(size, i + 1))))
  snapshot.release()
})

t.test('a parked reader goes on behind its last key on the new state', async t => {
  const storage = memory(t)
  const fill = (letters: string): void => storage.write(w => { for (const k of letters) w.put(key(k), key(k)) })
  for (const reverse of [false, true]) {
    fill('abcdef')
    const reader = new ParkableReader(storage.snapshot())
    const range = reader.range({ start: START, end: END, reverse })
    const seen = [range.next().value!.key.toString(), range.next().value!.key.toString()]
    reader.get(key('f'))
    reader.park()
    t.throws(() => reader.get(key('a')), /parked/)
    storage.write(w => { w.delete(key(reverse ? 'e' : 'b')); w.put(key('cc'), key('new')) })
    reader.resume(storage.snapshot())
    for (const entry of range) seen.push(entry.key.toString())
    reader.release()
    t.equal(seen.join(' '), reverse ? 'f e d cc c b a' : 'a b c cc d e f', reverse ? 'backwards' : 'forwards')
    storage.write(w => w.delete(key('cc')))
  }
})

t.test('a transaction view reads as the storage after its commit would, in both directions', t => {
  const step = fc.record({ key: fc.constantFrom(...'abcdefghij'), value: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }) })
  fc.assert(fc.property(fc.array(step), fc.array(step), fc.array(step), (base, own, undone) => {
    const storage = openStorage({ memory: true })
    const apply = (w: Pick<TransactionView, 'put' | 'delete'>, steps: typeof own): void =>
      steps.forEach(s => s.value === undefined ? w.delete(key(s.key)) : w.put(key(s.key), key(s.value)))
    storage.write(w => apply(w, base))
    const snapshot = storage.snapshot()
    const view = new TransactionView(snapshot, () => {})
    apply(view, own)
    const middle = contents(view)
    const savepoint = view.savepoint()
    apply(view, undone)
    view.rollbackTo(savepoint)
    const seen = [middle, contents(view), contents(view, true).reverse()]
    storage.write(w => view.applyTo(w))
    const after = storage.snapshot()
    const expected = contents(after)
    after.release()
    snapshot.release()
    storage.close().catch(() => {})
    return seen.every(list => JSON.stringify(list) === JSON.stringify(expected))
  }), { numRuns: 150 })
  t.end()
})

t.test('what was synced is there after a new start', async t => {
  const dir = folder(t)
  const storage = openStorage({ dir })
  for (let i = 0; i < 20; i++) storage.write(w => w.put(key(`k${i}`), key(`${i}`)))
  await storage.synced()
  await storage.close()
  const again = openStorage({ dir })
  const snapshot = again.snapshot()
  t.equal(contents(snapshot).length, 20)
  snapshot.release()
  await again.close()
})

t.test('after a crash all that was synced is there, from the data file and the journal', async t => {
  const dir = folder(t)
  const storage = openStorage({ dir })
  const crashed = async (name: string, damage?: (journal: string) => void): Promise<string[]> => {
    const copy = join(folder(t), name)
    mkdirSync(copy)
    for (const file of ['data.lmdb', 'journal.log']) copyFileSync(join(dir, file), join(copy, file))
    damage?.(join(copy, 'journal.log'))
    const other = openStorage({ dir: copy })
    const snapshot = other.snapshot()
    const found = contents(snapshot).filter(entry => /^k/.test(entry))
    snapshot.release()
    await other.close()
    return found
  }
  const put = async (k: string, value = 'x'): Promise<void> => {
    storage.write(w => w.put(key(k), key(value)))
    await storage.synced()
  }
  await put('k1')
  await put('k2')
  t.strictSame(await crashed('crash1'), ['k1=x', 'k2=x'])
  await new Promise(resolve => setTimeout(resolve, 400))
  t.strictSame(await crashed('crash2'), ['k1=x', 'k2=x'], 'lmdb has committed by itself')
  await put('k3')
  await put('k1', 'new')
  storage.write(w => w.delete(key('k2')))
  await storage.synced()
  t.strictSame(await crashed('crash3'), ['k1=new', 'k3=x'], 'the journal was begun anew')
  await put('k4')
  const cut = (journal: string): void => {
    const bytes = readFileSync(journal)
    const at = bytes.lastIndexOf('k4')
    bytes[at + 2] ^= 1
    writeFileSync(journal, bytes)
  }
  t.strictSame(await crashed('crash4', cut), ['k1=new', 'k3=x'], 'a record that is not whole does not count')
  for (let i = 0; i < 3000; i++) storage.write(w => w.put(key(`k5${i % 7}`), Buffer.alloc(6000, 0x61)))
  await storage.synced()
  t.equal((await crashed('crash5')).length, 3 + 7, 'a journal that grew too long')
  await storage.close()
})

t.test('a reader of the open transaction stays at its state when more is written', async t => {
  const storage = openStorage({ dir: folder(t) })
  t.teardown(() => storage.close())
  const fill = (letters: string, value: string): void => storage.write(w => { for (const k of letters) w.put(key(k), key(value)) })
  fill('abcd', '1')
  const first = storage.snapshot()
  const range = first.range({ start: START, end: END })
  range.next()
  const second = storage.snapshot()
  fill('bce', '2')
  t.strictSame(contents(first), ['a=1', 'b=1', 'c=1', 'd=1'])
  t.strictSame([...range].map(entry => entry.value.toString()), ['1', '1', '1'], 'a range under way, too')
  const third = storage.snapshot()
  t.strictSame(contents(third), ['a=1', 'b=2', 'c=2', 'd=1', 'e=2'])
  t.strictSame(contents(second), ['a=1', 'b=1', 'c=1', 'd=1'])
  for (const snapshot of [first, second, third]) snapshot.release()
})

t.test('a folder of another format, a cut and a foreign file are refused and stay as they are', async t => {
  const dir = folder(t)
  const file = join(dir, 'data.lmdb')
  const storage = openStorage({ dir })
  storage.write(w => { for (let i = 0; i < 3000; i++) w.put(key(`k${i}`), Buffer.alloc(500)) })
  storage.write(w => w.put(Buffer.from([1]), key('embedded-mongo 99')))
  await storage.close()
  const refused = (pattern: RegExp): void => {
    const bytes = readFileSync(file)
    t.throws(() => openStorage({ dir }), pattern)
    t.ok(readFileSync(file).equals(bytes), 'unchanged')
  }
  refused(/storage format 'embedded-mongo 99'.*Use the version/)
  truncateSync(file, 100_000)
  refused(/damaged \(data.lmdb is cut off\).*Restore/)
  truncateSync(file, 0)
  refused(/damaged/)
  writeFileSync(file, Buffer.alloc(50_000, 7))
  refused(/damaged \(data.lmdb is not a data file/)
})

t.test('200 memory engines come and go without files, descriptors or memory', async t => {
  const descriptors = (): number => process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
  const files = (): number => readdirSync(tmpdir()).filter(name => name.startsWith('embedded-mongo-')).length
  const round = async (count: number): Promise<number> => {
    const started = performance.now()
    const open = Array.from({ length: count }, () => openStorage({ memory: true }))
    for (const storage of open) storage.write(w => w.put(key('a'), Buffer.alloc(1000)))
    for (const storage of open) await storage.close()
    return (performance.now() - started) / count
  }
  await round(5)
  const before = { descriptors: descriptors(), files: files() }
  const milliseconds = await round(200)
  t.ok(milliseconds < 50, `${milliseconds.toFixed(1)} ms each`)
  t.equal(descriptors(), before.descriptors)
  t.equal(files(), before.files)
  const memoryNow = (): number => {
    collectGarbage()
    return process.memoryUsage.rss()
  }
  await round(20)
  const middle = memoryNow()
  for (let i = 0; i < 10; i++) await round(20)
  const more = Math.round((memoryNow() - middle) / 1e6)
  t.ok(more < 60, `200 more take ${more} MB`)
})
