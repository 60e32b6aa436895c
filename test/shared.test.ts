import t from 'tap'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Types } from 'mongoose'
import { MISSING, build, stable, storyClock, type Account, type TestApp } from './helper.js'
import { s3Wire } from './services/s3-wire.js'
import { convertMinor } from '../src/services/shared/money.js'
import { safeName } from '../src/services/shared/purposes.js'

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const png = (width = 10, height = 10, extra = 100) => {
  const bytes = Buffer.alloc(24 + extra)
  bytes.write('\x89PNG\r\n\x1a\n', 'latin1')
  bytes.write('IHDR', 12, 'latin1')
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes
}
type FileData = { id: string, status: string, name: string, public_url: string | null, refs: object[] }
type Started = { data: { file: FileData, upload: { url: string, headers: Record<string, string> } } }

function client (app: TestApp, { auth }: Account) {
  const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object, headers: Record<string, string> = auth) =>
    app.inject({ method, url: `/v1/shared/${path}`, headers, ...(payload !== undefined && { payload }) })
  return {
    call,
    start: async (bytes: Buffer, change: object = {}) => (await call('POST', 'files/uploads', {
      name: 'flyer.png', mime_type: 'image/png', size: bytes.length, purpose: 'attachment', checksum_sha256: sha(bytes), ...change
    })).json<Started>().data,
    put: (url: string, bytes: Buffer, headers: Record<string, string>) => app.inject({ method: 'PUT', url: url.replace('http://localhost:5002', ''), headers, payload: bytes }),
    bytes: async (id: string, query = '') => {
      const hop = await call('GET', `files/${id}/download${query}`)
      return app.inject({ url: String(hop.headers.location).replace('http://localhost:5002', '') })
    },
    usage: async () => (await call('GET', 'files/usage')).json<{ data: { bytes: number, files: number } }>().data
  }
}

function form (fields: Record<string, string>, files: { name: string, bytes: Buffer }[]) {
  const parts = [
    ...Object.entries(fields).map(([name, value]) => Buffer.from(`--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)),
    ...files.flatMap(({ name, bytes }) => [Buffer.from(`--b\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: application/octet-stream\r\n\r\n`), bytes, Buffer.from('\r\n')])
  ]
  return { payload: Buffer.concat([...parts, Buffer.from('--b--\r\n')]), headers: { 'content-type': 'multipart/form-data; boundary=b' } }
}

t.test('files in a folder', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const one = await app.seed()
  const two = await app.seed()
  const mine = client(app, one)
  const theirs = client(app, two)
  const ready = async (change: object = {}, bytes = png()) => {
    const { file, upload } = await mine.start(bytes, change)
    await mine.put(upload.url, bytes, upload.headers)
    return (await mine.call('POST', `files/${file.id}/complete`)).json<{ data: FileData }>().data
  }

  t.test('what was sent is what is downloaded, in whole and in part', async t => {
    const bytes = png(20, 30, 5_000)
    const { file, upload } = await mine.start(bytes)
    t.equal((await mine.put(upload.url, bytes, upload.headers)).statusCode, 200)
    const done = await mine.call('POST', `files/${file.id}/complete`)
    t.match(done.json(), { data: { status: 'ready', mime_type: 'image/png', kind: 'image', width: 20, height: 30, checksum_sha256: sha(bytes) } })
    t.match((await mine.call('POST', `files/${file.id}/complete`)).json(), { data: { status: 'ready' } }, 'complete may be repeated')
    t.equal(sha((await mine.bytes(file.id)).rawPayload), sha(bytes))
    const hop = await mine.call('GET', `files/${file.id}/download`)
    const part = await app.inject({ url: String(hop.headers.location).replace('http://localhost:5002', ''), headers: { range: 'bytes=0-7' } })
    t.match(part, { statusCode: 206, headers: { 'content-range': `bytes 0-7/${bytes.length}`, 'content-security-policy': 'sandbox', 'x-content-type-options': 'nosniff' } })
    t.equal((await mine.put(upload.url, bytes, upload.headers)).statusCode, 403, 'the address changes nothing any more')
  })

  t.test('HTML that was declared a PNG is refused, removed and not counted', async t => {
    const before = await mine.usage()
    const html = Buffer.from('<!doctype html><script>alert(1)</script>')
    const { file, upload } = await mine.start(html)
    await mine.put(upload.url, html, upload.headers)
    t.match((await mine.call('POST', `files/${file.id}/complete`)).json(), { errno: 422, data: { code: 'FILE_MISMATCH' } })
    t.match((await mine.call('GET', `files/${file.id}`)).json(), { data: { status: 'rejected' } })
    t.strictSame(await mine.usage(), before)
  })

  t.test('more or fewer bytes than declared are refused', async t => {
    const { upload } = await mine.start(png(), { checksum_sha256: undefined })
    t.equal((await mine.put(upload.url, Buffer.concat([png(), png()]), upload.headers)).statusCode, 413)
    t.match((await mine.put(upload.url, png().subarray(0, 50), upload.headers)).json(), { errno: 422, data: { code: 'FILE_MISMATCH' } })
    const { file } = await mine.start(png())
    t.match((await mine.call('POST', `files/${file.id}/complete`)).json(), { errno: 422, data: { code: 'UPLOAD_MISSING' } })
  })

  t.test('an address that was changed or is too old opens nothing', async t => {
    const { upload } = await mine.start(png())
    for (const [from, to] of [[/size=\d+/, 'size=999'], [/type=image%2Fpng/, 'type=text%2Fhtml'], [/storage\/[^?]+/, 'storage/other'], [/expires=\d+/, 'expires=9999999999']] as const) {
      t.match((await mine.put(upload.url.replace(from, to), png(), upload.headers)).json(), { errno: 403, data: { code: 'SIGNATURE_INVALID' } }, String(from))
    }
    const { id } = await ready()
    const { url } = (await mine.call('POST', `files/${id}/link`, { expires_in: 60 })).json<{ data: { url: string } }>().data
    const open = () => app.inject({ url: url.replace('http://localhost:5002', '') })
    t.equal((await open()).statusCode, 200)
    clock.forward(61_000)
    t.equal((await open()).statusCode, 403)
  })

  t.test('another account\'s file answers like a missing one on every route', async t => {
    const { id } = await ready()
    const calls: ['GET' | 'POST' | 'PUT' | 'DELETE', string, object?][] = [
      ['GET', ''], ['PUT', '', { name: 'x' }], ['DELETE', ''], ['PUT', '/restore'], ['GET', '/download'], ['POST', '/link', {}], ['POST', '/complete']
    ]
    for (const [method, path, body] of calls) {
      const foreign = await theirs.call(method, `files/${id}${path}`, body)
      t.equal(foreign.statusCode, 404)
      t.strictSame(stable(foreign), stable(await theirs.call(method, `files/${MISSING}${path}`, body)), `${method} ${path}`)
    }
    const folder = (await mine.call('POST', 'folders', { name: 'Mine' })).json<{ data: { id: string } }>().data
    t.match((await theirs.call('POST', 'files/uploads', { name: 'a', mime_type: 'image/png', size: 9, purpose: 'avatar', folder_id: folder.id })).json(), { errno: 400, data: { code: 'INVALID_REFERENCE' } })
  })

  t.test('active types are refused by purpose, and never shown in place', async t => {
    for (const purpose of ['attachment', 'form_upload', 'site_asset', 'logo']) {
      for (const type of ['image/svg+xml', 'text/html']) {
        t.equal((await mine.call('POST', 'files/uploads', { name: 'x', mime_type: type, size: 9, purpose })).statusCode, 415, `${purpose} ${type}`)
      }
    }
    const text = await app.inject({ method: 'POST', url: '/v1/shared/files', ...withAuth(form({ purpose: 'attachment' }, [{ name: 'a.csv', bytes: Buffer.from('a,b\n1,2\n') }])) })
    t.match(text.json(), { data: { mime_type: 'text/csv', status: 'ready' } })
    const res = await mine.bytes(text.json<{ data: FileData }>().data.id, '?inline=true')
    t.match(res.headers['content-disposition'], /^attachment/)
    t.equal(res.headers['content-security-policy'], 'sandbox')
  })

  const withAuth = ({ payload, headers }: ReturnType<typeof form>) => ({ payload, headers: { ...headers, ...one.auth } })
  const multipart = (fields: Record<string, string>, parts: { name: string, bytes: Buffer }[]) => app.inject({ method: 'POST', url: '/v1/shared/files', ...withAuth(form(fields, parts)) })

  t.test('one multipart file within its limits, no second, no larger one', async t => {
    t.match((await multipart({ purpose: 'avatar', name: '../../me‮.png' }, [{ name: 'a.png', bytes: png() }])).json(), { data: { status: 'ready', name: 'me.png', width: 10 } })
    t.equal((await multipart({ purpose: 'avatar' }, [{ name: 'a.png', bytes: png() }, { name: 'b.png', bytes: png() }])).statusCode, 400)
    t.equal((await multipart({}, [{ name: 'a.png', bytes: png() }])).statusCode, 400)
    const before = await mine.usage()
    t.match((await multipart({ purpose: 'attachment' }, [{ name: 'a.png', bytes: png(1, 1, 26 * 1_048_576) }])).json(), { errno: 413, data: { code: 'FILE_TOO_LARGE' } })
    t.match((await multipart({ purpose: 'avatar' }, [{ name: 'a.png', bytes: png(50_000, 50_000) }])).json(), { errno: 415 })
    t.strictSame(await mine.usage(), before)
  })

  t.test('many reservations at once never pass the quota', async t => {
    const full = await app.seed()
    const { call } = client(app, full)
    const size = 104_857_600
    await app.mongo.collection('shared.storage-usage').insertOne({ account_id: new Types.ObjectId(full.accountId), bytes: 10 * 1_073_741_824 - 10 * size, files: 0 })
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', 'files/uploads', { name: 'big.zip', mime_type: 'application/zip', size, purpose: 'project_file' })))
    t.strictSame(answers.map(res => res.statusCode).sort(), [...Array<number>(10).fill(201), ...Array<number>(10).fill(403)])
    t.match(answers.find(res => res.statusCode === 403)!.json(), { data: { code: 'STORAGE_QUOTA_EXCEEDED', limit: 10_737_418_240, used: 10_737_418_240 } })
  })

  t.test('a file in use is deleted only with force, then gone at once, and comes back', async t => {
    const { id } = await ready()
    const { transactions } = app.services.platform
    const place = { resource: 'note', id: MISSING }
    await transactions.run(session => app.services.shared.files.link(id, { accountId: one.accountId, ...place }, session))
    await t.rejects(transactions.run(session => app.services.shared.files.link(id, { accountId: two.accountId, ...place }, session)), { code: 'INVALID_REFERENCE' })
    t.match((await mine.call('DELETE', `files/${id}`)).json(), { errno: 409, data: { code: 'FILE_IN_USE', places: [place] } })
    t.equal((await mine.call('DELETE', `files/${id}?force=true`, undefined, one.as({ permissions: ['read', 'write'] }))).statusCode, 403)
    t.equal((await mine.call('DELETE', `files/${id}?force=true`)).statusCode, 200)
    t.equal((await mine.call('GET', `files/${id}/download`)).statusCode, 404)
    clock.forward(29 * 86_400_000)
    t.equal((await mine.call('PUT', `files/${id}/restore`)).statusCode, 200)
    t.equal((await mine.bytes(id)).statusCode, 200)
    await mine.call('DELETE', `files/${id}?force=true`)
    const before = await mine.usage()
    clock.forward(31 * 86_400_000)
    t.equal((await mine.call('PUT', `files/${id}/restore`)).statusCode, 404)
    await app.services.platform.jobs.runOnce('retention')
    t.ok((await mine.usage()).bytes < before.bytes)
    t.equal(await app.mongo.collection('shared.files').countDocuments({ _id: new Types.ObjectId(id) }), 0)
  })

  t.test('an upload that never ended is removed after a day, its quota returned', async t => {
    const before = await mine.usage()
    const { file } = await mine.start(png())
    clock.forward(25 * 3_600_000)
    await app.services.platform.jobs.runOnce('upload-sweep')
    t.equal((await mine.call('GET', `files/${file.id}`)).statusCode, 404)
    t.ok((await mine.usage()).bytes <= before.bytes)
  })

  t.test('public files are kept by browsers, private ones are not there', async t => {
    const file = await ready({ purpose: 'logo', visibility: 'public' })
    const path = file.public_url!.replace('http://localhost:5002', '')
    const res = await app.inject({ url: path })
    t.match(res, { statusCode: 200, headers: { 'cache-control': 'public, max-age=31536000, immutable', 'content-security-policy': 'sandbox' } })
    t.equal((await app.inject({ url: path, headers: { 'if-none-match': String(res.headers.etag) } })).statusCode, 304)
    const hidden = await ready()
    t.equal((await app.inject({ url: `/v1/shared/public-files/${hidden.id}/x` })).statusCode, 404)
  })

  t.test('folders: names once per parent, no ring, eight deep, deleted when empty', async t => {
    const make = async (name: string, parent?: string) => (await mine.call('POST', 'folders', { name, ...(parent && { parent_id: parent }) })).json<{ data: { id: string } }>().data
    const a = await make('A')
    const b = await make('B', a.id)
    t.match((await mine.call('POST', 'folders', { name: 'a' })).json(), { errno: 409, message: 'Duplicate document.' })
    t.match((await mine.call('PUT', `folders/${a.id}`, { parent_id: b.id })).json(), { errno: 409, data: { code: 'FOLDER_CYCLE' } })
    t.match((await mine.call('DELETE', `folders/${a.id}`)).json(), { errno: 409, data: { code: 'FOLDER_NOT_EMPTY' } })
    const c = await make('C')
    t.equal((await mine.call('DELETE', `folders/${a.id}?move_to=${c.id}`)).statusCode, 200)
    t.match((await mine.call('GET', `folders/${b.id}`)).json(), { data: { parent_id: c.id } })
    let parent = c.id
    for (let depth = 2; depth <= 8; depth++) parent = (await make(`D${depth}`, parent)).id
    t.equal((await mine.call('POST', 'folders', { name: 'too deep', parent_id: parent })).statusCode, 422)
  })
})

t.test('the same with S3', async t => {
  const s3 = await s3Wire(t)
  const app = await build(t, { env: { S3_BUCKET: 'files', S3_ENDPOINT: s3.url, AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' } })
  const mine = client(app, await app.seed())
  const bytes = png(3, 4, 9_000)
  const { file, upload } = await mine.start(bytes)
  t.equal((await fetch(upload.url, { method: 'PUT', body: new Uint8Array(bytes), headers: upload.headers })).status, 200)
  t.match((await mine.call('POST', `files/${file.id}/complete`)).json(), { data: { status: 'ready', storage: 's3', width: 3 } })
  const hop = await mine.call('GET', `files/${file.id}/download`)
  const whole = await fetch(String(hop.headers.location))
  t.equal(sha(Buffer.from(await whole.arrayBuffer())), sha(bytes))
  const part = await fetch(String(hop.headers.location), { headers: { range: 'bytes=0-7' } })
  t.equal(part.status, 206)
  t.equal((await part.arrayBuffer()).byteLength, 8)
})

t.test('work in the background', async t => {
  const app = await build(t)
  const { queues, transactions } = app.services.platform
  const one = await app.seed()
  const two = await app.seed()
  const mine = client(app, one)
  const never = new AbortController().signal
  let between: (() => Promise<unknown>) | null = null
  queues.handle('shared-test', {
    label: 'A test',
    cancellable: true,
    retryable: true,
    async run (work) {
      for (;;) {
        const { next = 0 } = work.row.payload as { next?: number }
        if (next >= 10) return
        if (!await work.batch(async () => ({ progress: { done: 1, added: 1 }, payload: { next: next + 1 } }))) return
        work.row.payload = { next: next + 1 }
        await between?.()
      }
    }
  })
  const add = (userId = one.userId) => transactions.run(session => queues.add({ source: 'shared-test', accountId: one.accountId, userId, total: 10 }, session))
  const read = async (id: string) => (await mine.call('GET', `jobs/${id}`)).json<{ data: { status: string, progress: { done: number, percent: number } } }>().data

  t.test('cancelling lets at most one more batch through, and a retry does only the rest', async t => {
    const id = await add()
    between = async () => { if ((await read(id)).progress.done === 4) await mine.call('POST', `jobs/${id}/cancel`) }
    await queues.drain('shared-test', never)
    const stopped = await read(id)
    t.match(stopped, { status: 'cancelled', cancellable: false, retryable: true, label: 'A test' })
    t.ok(stopped.progress.done <= 5)
    between = null
    t.equal((await mine.call('POST', `jobs/${id}/retry`)).statusCode, 202)
    await queues.drain('shared-test', never)
    t.match(await read(id), { status: 'completed', progress: { done: 10, added: 10, percent: 100 } })
    t.match((await mine.call('POST', `jobs/${id}/cancel`)).json(), { errno: 409, data: { code: 'JOB_NOT_CANCELLABLE' } })
    t.match((await mine.call('POST', `jobs/${id}/retry`)).json(), { errno: 409, data: { code: 'JOB_NOT_RETRYABLE' } })
  })

  t.test('a user sees his own jobs, an admin the account\'s, nobody another account\'s', async t => {
    const id = await add(MISSING)
    const user = one.as({ permissions: ['read', 'write'] })
    t.equal((await mine.call('GET', `jobs/${id}`)).statusCode, 200)
    t.equal((await mine.call('GET', `jobs/${id}`, undefined, user)).statusCode, 404)
    t.equal((await mine.call('GET', `jobs/${id}`, undefined, two.auth)).statusCode, 404)
    const ids = (await mine.call('GET', 'jobs', undefined, user)).json<{ data: { id: string }[] }>().data.map(job => job.id)
    t.notOk(ids.includes(id))
  })

  t.test('refused rows as CSV run no formula and are imported again after correction', async t => {
    const post = (payload: object) => app.inject({ method: 'POST', url: '/v1/url/import', headers: one.auth, payload })
    const { job_id: id } = (await post({ rows: [{ url: 'example.com/a' }, { url: 'javascript:alert(1)', title: '=1+1' }] })).json<{ data: { job_id: string } }>().data
    await queues.drain('url-import', never)
    t.match(await read(id), { status: 'partial', progress: { errors: 1, added: 1 } })
    t.match((await mine.call('GET', `jobs/${id}/errors`)).json(), { data: [{ row: 2, code: 'INVALID_TARGET_URL' }] })
    const csv = await mine.call('GET', `jobs/${id}/errors?format=csv`)
    t.match(csv.headers['content-type'], 'text/csv')
    t.match(csv.body, /'=1\+1/)
    const corrected = Buffer.from(csv.body.replace('javascript:alert(1)', 'example.com/b'))
    const again = await app.inject({ method: 'POST', url: '/v1/url/import', payload: form({}, [{ name: 'a.csv', bytes: corrected }]).payload, headers: { 'content-type': 'multipart/form-data; boundary=b', ...one.auth } })
    await queues.drain('url-import', never)
    t.match(await read(again.json<{ data: { job_id: string } }>().data.job_id), { status: 'completed', progress: { added: 1, errors: 0 } })
    t.ok(await app.mongo.collection('short-urls').findOne({ url: 'https://example.com/b', title: '=1+1' }))
  })
})

t.test('reference lists, rates and phone numbers', async t => {
  let table: object | null = { EUR: '0.335', JPY: '150' }
  const service = createServer((_req, res) => {
    if (table === null) res.writeHead(503).end('{}')
    else res.setHeader('content-type', 'application/json').end(JSON.stringify({ data: { base: 'USD', as_of: '2026-01-05T00:00:00Z', rates: table } }))
  })
  await once(service.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => { service.close(); service.closeAllConnections() })
  const clock = storyClock('2026-01-15T12:00:00.000Z')
  const app = await build(t, { deps: { clock: { now: () => clock.now() } }, env: { CURRENCY_URL: `http://127.0.0.1:${(service.address() as AddressInfo).port}` } })
  const get = (path: string, headers: Record<string, string> = {}) => app.inject({ url: `/v1/shared/${path}`, headers })

  t.test('are open to everybody and not sent twice', async t => {
    for (const path of ['countries', 'countries/IT', 'countries/US/states', 'time-zones', 'currencies', 'languages', 'industries']) {
      const res = await get(path)
      t.match(res, { statusCode: 200, headers: { 'cache-control': 'public, max-age=86400' } }, path)
      t.match(await get(path, { 'if-none-match': String(res.headers.etag) }), { statusCode: 304, body: '' }, path)
    }
    t.match((await get('countries/IT')).json(), { data: { code3: 'ITA', name: 'Italy', dial_code: '+39', currency: 'EUR', languages: ['it'], time_zones: ['Europe/Rome'] } })
    t.match((await get('countries/it?lang=de')).json(), { data: { name: 'Italien' } })
    t.equal((await get('countries')).json<{ data: object[] }>().data.length, 249)
    t.match((await get('countries/ZZ')).json(), { errno: 404, data: { code: 'COUNTRY_NOT_FOUND' } })
    t.strictSame((await get('countries/FR/states')).json<{ data: object[] }>().data, [])
    t.match((await get('currencies?q=yen')).json(), { data: [{ code: 'JPY', decimals: 0, symbol: '¥' }] })
    t.equal((await get('industries')).json<{ data: object[] }>().data.length, 24)
  })

  t.test('the offset of a zone follows summer time', async t => {
    const offset = async () => (await get('time-zones?country=IT')).json<{ data: { offset_minutes: number }[] }>().data[0]!.offset_minutes
    t.equal(await offset(), 60)
    clock.set('2026-07-15T12:00:00.000Z')
    t.equal(await offset(), 120)
    clock.set(new Date().toISOString())
  })

  t.test('amounts are rounded half to even', async t => {
    t.strictSame([100, 300, -100, 1].map(amount => convertMinor(amount, '0.335', 2, 2)), [34, 100, -34, 0])
    t.equal(convertMinor(100, '0.345', 2, 2), 34)
    t.equal(convertMinor(12345, '150', 2, 0), 18518)
    const one = await app.seed()
    const ask = (payload: object) => app.inject({ method: 'POST', url: '/v1/shared/currencies/convert', headers: one.auth, payload })
    const items = Array.from({ length: 3 }, () => ({ amount: 100, currency: 'USD' }))
    t.match((await ask({ items, to: 'EUR' })).json(), { data: { total: 102, stale: false, items: [{ converted: 34, rate: '0.335' }] } })
    t.match((await ask({ items, to: 'XXX' })).json(), { errno: 400, data: { code: 'CURRENCY_UNKNOWN' } })
    table = null
    clock.forward(7 * 3_600_000)
    t.match((await ask({ items, to: 'EUR' })).json(), { data: { total: 102, stale: true } })
    t.match((await app.inject({ url: '/v1/shared/currencies/rates?base=USD&symbols=EUR', headers: one.auth })).json(), { data: { stale: true, rates: { EUR: '0.335' } } })
    t.match((await app.inject({ url: '/v1/shared/currencies/rates?base=GBP', headers: one.auth })).json(), { errno: 503, data: { code: 'RATES_UNAVAILABLE' } })
  })

  t.test('numbers are read with their country, or refused without', async t => {
    const one = await app.seed()
    const ask = (payload: object) => app.inject({ method: 'POST', url: '/v1/shared/phone/parse', headers: one.auth, payload })
    t.match((await ask({ numbers: ['(415) 555-2671', 'nonsense'], country: 'US' })).json(), { data: { numbers: [{ e164: '+14155552671', valid: true, country: 'US' }, { valid: false, e164: null }] } })
    t.match((await ask({ numbers: ['+393471234567'] })).json(), { data: { numbers: [{ country: 'IT', type: 'mobile' }] } })
    t.match((await ask({ numbers: ['4155552671'] })).json(), { errno: 422, data: { code: 'PHONE_COUNTRY_REQUIRED' } })
  })
})

t.test('tags', async t => {
  const app = await build(t)
  const mine = client(app, await app.seed())
  const make = (name: string, kind = 'file') => mine.call('POST', 'tags', { kind, name })

  t.test('a name is there once per kind, in any case', async t => {
    const both = await Promise.all([make('VIP'), make('vip')])
    t.strictSame(both.map(res => res.statusCode).sort(), [201, 409])
    t.match(both.find(res => res.statusCode === 409)!.json(), { message: 'Duplicate document.' })
    t.strictSame((await Promise.all([make('Gold', 'site'), make('Gold', 'review')])).map(res => res.statusCode), [201, 201])
  })

  t.test('a merge keeps every record tagged once', async t => {
    const ids = await Promise.all(['one', 'two', 'three'].map(async name => (await make(name)).json<{ data: { id: string } }>().data.id))
    const file = await mine.start(png())
    t.match((await mine.call('PUT', `files/${file.file.id}`, { tags: ids })).json(), { data: { tags: ids } })
    t.match((await mine.call('GET', `tags/${ids[0]}`)).json(), { data: { usage_count: 1 } })
    t.match((await mine.call('POST', 'tags/merge', { kind: 'file', into: ids[0], from: ids.slice(1) })).json(), { data: { usage_count: 1 } })
    t.strictSame((await mine.call('GET', `files/${file.file.id}`)).json<{ data: { tags: string[] } }>().data.tags, [ids[0]])
    t.equal((await mine.call('GET', `tags/${ids[1]}`)).statusCode, 404)
    t.match((await mine.call('GET', 'tags?kind=file&expand=usage&q=one')).json(), { data: [{ name: 'one', usage_count: 1 }] })
    t.match((await mine.call('POST', 'tags/bulk', { operation: 'create', items: [{ kind: 'file', name: 'ONE' }, { kind: 'file', name: 'new' }] })), { statusCode: 207 })
  })
})

t.test('names hold no path, no control characters, no marks that turn text around', async t => {
  t.equal(safeName('../../etc/pass\u0000wd'), 'passwd')
  t.equal(safeName('C:\\temp\\..'), 'file')
  t.equal(safeName('invoice\u202egpj.exe'), 'invoicegpj.exe')
})
