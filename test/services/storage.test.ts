import { createHash } from 'node:crypto'
import { existsSync, readdirSync, symlinkSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t, { type Test as Tap } from 'tap'
import { createHttpClient, silentLog } from '../../src/services/http/index.js'
import { checkKey, createStorage, dispositionOf, rangeOf, verifyStorageUrl, type StorageOptions, type StorageProvider } from '../../src/services/storage/index.js'
import { failure, movedClock } from './wire.js'
import { s3Wire } from './s3-wire.js'

type Test = { testdir (): string, teardown (fn: () => unknown): void }
const clock = movedClock()
const SECRET = 'a secret of at least thirty-two bytes'
const KEY = '507f1f77bcf86cd799439011/2026/01/5f/Grüße & co.txt'
const sha = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

function storage (t: Test, options: Partial<StorageOptions> = {}) {
  const http = createHttpClient({ clock, log: silentLog })
  const dir = options.folder ?? t.testdir()
  const made = createStorage({
    http, clock, log: silentLog, production: false, twinDir: join(dir, 'twins'), folder: join(dir, 'files'), baseUrl: 'http://localhost:5002/v1/shared/storage/', secret: SECRET, ...options
  })
  t.teardown(async () => { await http.close(); await made.twin?.close() })
  return made
}
const s3 = (t: Test, endpoint: string, options: Partial<StorageOptions> = {}) =>
  storage(t, { bucket: 'files', endpoint, accessKeyId: 'AK', secretAccessKey: 'SK', ...options })

/** What both storages must answer alike. */
async function sameAnswers (t: Tap, files: StorageProvider) {
  const text = 'hello storage'
  t.equal(await files.head(KEY), null)
  t.equal(await files.read(KEY), null)
  t.equal(await files.copy(KEY, 'other/copy'), false)
  await files.remove(KEY)

  const written = await files.write(KEY, Buffer.from(text), { contentType: 'text/plain' })
  t.match(written, { size: 13, sha256: sha(text), etag: /^"\w+"$/ })
  t.match(await files.head(KEY), { size: 13, contentType: 'text/plain', sha256: sha(text), etag: written.etag, lastModified: Date })

  const all = await files.read(KEY)
  t.match(all, { size: 13, length: 13, range: null, contentType: 'text/plain' })
  t.equal(String(await buffer(all?.body ?? Readable.from([]))), text)
  const part = await files.read(KEY, { start: 6, end: 8 })
  t.match(part, { size: 13, length: 3, range: { start: 6, end: 8 } })
  t.equal(String(await buffer(part?.body ?? Readable.from([]))), 'sto')
  const rest = await files.read(KEY, { start: 6 })
  t.match(rest, { length: 7, range: { start: 6, end: 12 } })
  t.equal(String(await buffer(rest?.body ?? Readable.from([]))), 'storage')
  t.match(await failure(files.read(KEY, { start: 13 })), { status: 416, code: 'RANGE_NOT_SATISFIABLE' })

  t.equal(await files.copy(KEY, 'other/copy'), true)
  t.match(await files.head('other/copy'), { size: 13, sha256: sha(text) })
  await files.remove(KEY)
  t.equal(await files.head(KEY), null)
  t.ok(await files.head('other/copy'))

  const big = Buffer.alloc(20 * 1_048_576, 'abc')
  const streamed = await files.write('big/file', Readable.from(pieces(big)), { contentType: 'video/mp4' })
  t.match(streamed, { size: big.length, sha256: sha(big) })
  t.equal((await files.head('big/file'))?.size, big.length)
  t.match(await failure(files.write('big/two', Readable.from(pieces(big)), { contentType: 'video/mp4', maxBytes: 9_000_000 })), { status: 413, code: 'FILE_TOO_LARGE' })
  t.equal(await files.head('big/two'), null, 'whole or not at all')
  const broken = Readable.from((async function * () { yield Buffer.from('x'); throw new Error('the client left') })())
  t.match(await failure(files.write('big/three', broken, { contentType: 'a/b' })), { message: 'the client left' })
  t.equal(await files.head('big/three'), null)
  t.match(await files.write('empty', Buffer.alloc(0), { contentType: 'a/b' }), { size: 0, sha256: sha('') })
  const nothing = await files.read('empty')
  t.equal((await buffer(nothing?.body ?? Readable.from(['x']))).length, 0)

  for (const key of BAD_KEYS) {
    for (const call of [() => files.head(key), () => files.read(key), () => files.remove(key), () => files.copy(KEY, key), () => files.write(key, Buffer.from('x'), { contentType: 'a/b' })]) {
      const error = await failure(Promise.resolve(call()).then(result => { if (result === false) throw Object.assign(new Error('absent'), { code: 'STORAGE_KEY_INVALID' }) }))
      t.match(error, { code: 'STORAGE_KEY_INVALID' }, JSON.stringify(key))
    }
  }
}

function * pieces (bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 700_000) yield bytes.subarray(at, at + 700_000)
}

const BAD_KEYS = ['', '/', '/etc/passwd', '../x', 'a/../../x', 'a/..', './a', 'a//b', 'a/', 'a\\b', 'a\0b', 'a\nb', '..', 'x'.repeat(2_000), `a/${'x'.repeat(201)}`]

t.test('the folder', async t => {
  const dir = t.testdir()
  const files = storage(t, { folder: dir })
  t.match({ mode: files.mode, kind: files.kind, bucket: files.bucket, state: files.state() }, { mode: 'twin', kind: 'folder', bucket: null, state: 'ok' })
  await t.test('answers like S3', async t => { await sameAnswers(t, files) })
  t.strictSame(readdirSync(join(dir, 'tmp')), [], 'no temporary file is left')
  await files.write('a/b/c.txt', Buffer.from('x'), { contentType: 'text/plain' })
  await files.remove('a/b/c.txt')
  t.notOk(existsSync(join(dir, 'objects', 'a')), 'empty folders go')

  t.test('a link inside the folder does not lead out of it', async t => {
    const outside = join(dir, 'outside')
    mkdirSync(outside)
    mkdirSync(join(dir, 'objects'), { recursive: true })
    symlinkSync('/etc', join(dir, 'objects', 'link'))
    t.match(await failure(files.write('link/passwd2', Buffer.from('x'), { contentType: 'a/b' })), { code: 'STORAGE_KEY_INVALID' })
    t.equal(await files.read('link/passwd'), null)
  })
})

t.test('S3', async t => {
  const server = await s3Wire(t)
  const files = s3(t, server.url)
  t.match({ mode: files.mode, kind: files.kind, bucket: files.bucket, state: files.state() }, { mode: 'real', kind: 's3', bucket: 'files', state: 'ok' })
  await t.test('answers like the folder', async t => { await sameAnswers(t, files) })
  t.match(server.seen[0], { path: `/files/${KEY}`, headers: { authorization: /^AWS4-HMAC-SHA256 Credential=AK\// } })
  t.equal(server.uploads.size, 0, 'a broken upload in parts is given up')
})

t.test('failures of S3: status kept, silence and absence named', async t => {
  const server = await s3Wire(t)
  const files = s3(t, server.url)
  server.fail(res => { res.writeHead(403, { 'content-type': 'application/xml' }).end('<Error><Code>AccessDenied</Code><Message>bucket files of AK</Message></Error>') })
  const denied = await failure(files.read(KEY))
  t.match(denied, { status: 403, code: 'UPSTREAM_ERROR', data: { upstream: { code: 'AccessDenied' } } })
  t.notMatch(JSON.stringify(denied.data), /AK|bucket/)
  server.fail(res => { res.writeHead(404, { 'content-type': 'application/xml' }).end('<Error><Code>NoSuchBucket</Code></Error>') })
  t.match(await failure(files.read(KEY)), { status: 404, data: { upstream: { code: 'NoSuchBucket' } } })
  let tries = 0
  server.fail(res => { tries++; res.writeHead(503).end('<Error><Code>SlowDown</Code></Error>') })
  t.match(await failure(files.head(KEY)), { status: 503 })
  t.ok(tries > 1, 'the library repeats')
  const slow = await s3Wire(t)
  slow.fail(() => {})
  t.match(await failure(s3(t, slow.url, { timeoutMs: 100 }).head(KEY)), { status: 504, code: 'UPSTREAM_TIMEOUT' })
  t.match(await failure(s3(t, 'http://127.0.0.1:1').head(KEY)), { status: 502, code: 'UPSTREAM_UNAVAILABLE' })
})

t.test('addresses signed for S3 bind length, type and checksum, and work', async t => {
  const server = await s3Wire(t)
  const files = s3(t, server.url)
  const up = await files.presignPut({ key: KEY, contentType: 'text/plain', size: 5, sha256: sha('hello'), expiresIn: 900 })
  const query = new URL(up.url).searchParams
  t.equal(query.get('X-Amz-SignedHeaders'), 'content-length;content-type;host;x-amz-checksum-sha256')
  t.equal(query.get('X-Amz-Expires'), '900')
  t.notOk([...query.keys()].some(name => /crc32|sdk-checksum/i.test(name)))
  t.strictSame(up.expiresAt, new Date(clock.now().getTime() + 900_000))
  t.equal((await fetch(up.url, { method: up.method, headers: up.headers, body: 'hello' })).status, 200)
  t.equal((await files.head(KEY))?.sha256, sha('hello'))
  const down = await files.presignGet({ key: KEY, expiresIn: 300, filename: 'Grüße.txt', contentType: 'application/octet-stream' })
  const answer = await fetch(down.url)
  t.equal(await answer.text(), 'hello')
  t.match(server.seen.at(-1)?.query.get('response-content-disposition'), /^attachment; filename="Gr__e.txt"; filename\*=UTF-8''Gr%C3%BC%C3%9Fe.txt$/)
})

t.test('addresses signed for the folder hold for exactly their terms', async t => {
  const files = storage(t)
  const read = (url: string) => {
    const { pathname, searchParams } = new URL(url)
    return { key: decodeURIComponent(pathname.split('/').at(-1) ?? ''), query: Object.fromEntries(searchParams) }
  }
  const up = await files.presignPut({ key: KEY, contentType: 'text/plain', size: 5, sha256: sha('hello'), expiresIn: 900 })
  t.match(up.url, /^http:\/\/localhost:5002\/v1\/shared\/storage\/[^/?]+\?/)
  const { key, query } = read(up.url)
  t.equal(key, KEY)
  const verify = files.verifyUrl?.bind(files) ?? (() => ({ ok: false, reason: 'invalid' } as const))
  t.match(verify('PUT', key, query), { ok: true, terms: { key: KEY, size: 5, type: 'text/plain', sha256: sha('hello') } })
  const invalid = { ok: false, reason: 'invalid' }
  t.strictSame(verify('GET', key, query), invalid)
  t.strictSame(verify('DELETE', key, query), invalid)
  t.strictSame(verify('PUT', 'other/key', query), invalid)
  for (const change of [{ size: '6' }, { type: 'text/html' }, { sha256: sha('other') }, { expires: '99999999999' }, { signature: 'x' }, { signature: undefined }, { signature: ['a'] }, { disposition: 'inline' }, { size: undefined }]) {
    t.strictSame(verify('PUT', key, { ...query, ...change }), invalid, JSON.stringify(change))
  }
  t.strictSame(verifyStorageUrl('PUT', key, query, 'another secret', clock.now()), invalid)
  const down = read((await files.presignGet({ key: KEY, expiresIn: 60, inline: true, filename: 'a.png' })).url)
  t.match(verify('GET', down.key, down.query), { ok: true, terms: { disposition: /^inline; filename="a.png"/ } })
  t.match(verify('HEAD', down.key, down.query), { ok: true })
  t.strictSame(verify('PUT', down.key, down.query), invalid)
  clock.move(60_000)
  t.strictSame(verify('GET', down.key, down.query), { ok: false, reason: 'expired' })
  t.match(verify('PUT', key, query), { ok: true })
})

t.test('production without a bucket refuses and names the variable', async t => {
  const off = storage(t, { production: true })
  t.equal(off.state(), 'not_configured')
  t.match(await failure(off.head('a')), { status: 503, code: 'STORAGE_NOT_CONFIGURED', info: 'S3_BUCKET is not set.' })
  t.match(await failure(storage(t, { production: true, bucket: 'b' }).read('a')), { info: 'AWS_ACCESS_KEY_ID is not set.' })
})

t.test('the folder fails on demand', async t => {
  const files = storage(t)
  files.twin?.fault({ mode: 'status', status: 503, match: 'write' })
  t.match(await failure(files.write('a', Buffer.from('x'), { contentType: 'a/b' })), { status: 503 })
  t.equal(await files.head('a'), null)
})

t.test('keys, names and ranges', async t => {
  t.equal(checkKey(KEY), KEY)
  t.equal(dispositionOf(undefined), 'attachment')
  t.equal(dispositionOf('a"b\r\n.txt'), 'attachment; filename="a_b__.txt"; filename*=UTF-8\'\'a%22b%0D%0A.txt')
  t.strictSame(rangeOf('bytes=0-3', 10), { start: 0, end: 3 })
  t.strictSame(rangeOf('bytes=5-', 10), { start: 5, end: 9 })
  t.strictSame(rangeOf('bytes=-3', 10), { start: 7, end: 9 })
  t.strictSame(rangeOf('bytes=-30', 10), { start: 0, end: 9 })
  t.strictSame(rangeOf('bytes=0-99', 10), { start: 0, end: 9 })
  t.equal(rangeOf('bytes=10-', 10), 'unsatisfiable')
  t.equal(rangeOf('bytes=-0', 10), 'unsatisfiable')
  for (const header of [undefined, '', 'bytes=-', 'bytes=a-b', 'bytes=3-1', 'bytes=0-1,3-4', 'items=0-1']) t.equal(rangeOf(header, 10), null)
})
