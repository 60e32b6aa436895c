import t from 'tap'
import fc from 'fast-check'
import { MISSING, build, stable, storyClock, type TestApp } from './helper.js'
import { decide, type LiveLink } from '../src/services/links/resolver.js'
import { checkTarget, withQuery } from '../src/services/links/targets.js'

const CHROME = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
type Link = { id: string, code: string, url: string, visits: number, bot_visits: number, unique_visits: number, version: number }

t.test('short links', async t => {
  const clock = storyClock()
  const app = await build(t, { deps: { clock } })
  const one = await app.seed()
  const two = await app.seed()
  const post = (payload: object, headers: Record<string, string> = one.auth) => app.inject({ method: 'POST', url: '/v1/url', headers, payload })
  const put = (id: string, payload: object, headers: Record<string, string> = one.auth) => app.inject({ method: 'PUT', url: `/v1/url/${id}`, headers, payload })
  const follow = (path: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') => app.inject({ method, url: path, headers: { 'user-agent': CHROME, ...headers } })
  const make = async (payload: object) => (await post(payload)).json<{ data: Link }>().data
  const read = async (id: string) => {
    await app.services.clicks.flush()
    return (await app.inject({ url: `/v1/url/${id}`, headers: one.auth })).json<{ data: Link }>().data
  }

  t.test('a new link redirects, and each answered redirect of a person is one visit', async t => {
    const res = await post({ url: 'example.com/x' })
    t.equal(res.statusCode, 201)
    const link = res.json<{ data: Link }>().data
    t.equal(res.headers.location, `/v1/url/${link.id}`)
    t.match(link, { url: 'https://example.com/x', visits: 0, custom: false })
    const hop = await follow(`/${link.code}`)
    t.match(hop, { statusCode: 302, headers: { location: 'https://example.com/x', 'cache-control': 'no-store', 'x-robots-tag': 'noindex' } })
    t.equal(hop.body, '')
    await follow(`/${link.code}`)
    t.match(await read(link.id), { visits: 2, unique_visits: 1, bot_visits: 0 })
  })

  t.test('crawlers, prefetches and HEAD are not visits', async t => {
    const link = await make({ url: 'example.com/bots' })
    await follow(`/${link.code}`, { 'user-agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)' })
    await follow(`/${link.code}`, { 'sec-purpose': 'prefetch' })
    await follow(`/${link.code}`, { 'user-agent': '' })
    const head = await follow(`/${link.code}`, {}, 'HEAD')
    t.equal(head.statusCode, 302)
    t.match(await read(link.id), { visits: 0, bot_visits: 3 })
  })

  t.test('totals, single clicks and hourly counts agree', async t => {
    const link = await make({ url: 'example.com/sums' })
    for (let i = 0; i < 25; i++) await follow(`/${link.code}`, i % 5 === 0 ? { 'user-agent': 'curl/8.0' } : {})
    const row = await read(link.id)
    const stats = await app.mongo.collection('short-urls.stats').find({ dim: 'total' }).toArray()
    const mine = stats.filter(stat => String(stat.link_id) === link.id)
    t.match(row, { visits: 20, bot_visits: 5 })
    t.equal(mine.reduce((sum, stat) => sum + Number(stat.clicks), 0), 20)
    t.equal(mine.reduce((sum, stat) => sum + Number(stat.bots), 0), 5)
    t.equal(await app.mongo.collection('short-urls.clicks').countDocuments({ link_id: mine[0]!.link_id }), 25)
  })

  t.test('unknown codes are 404, other methods 405, odd paths never reach the database', async t => {
    t.match(stable(await follow('/nobody1')), { success: false, errno: 404, data: { code: 'LINK_NOT_FOUND' } })
    const other = await app.inject({ method: 'POST', url: '/nobody1' })
    t.match(other, { statusCode: 405, headers: { allow: 'GET, HEAD' } })
    for (const path of ['/a.b', '/x/y', `/${'c'.repeat(65)}`, '/%24ne', '/a%00b']) t.equal((await follow(path)).statusCode, 404, path)
    const page = await follow('/nobody1', { accept: 'text/html' })
    t.match(page.headers['content-type'], 'text/html')
  })

  t.test('roots and reserved words are never shadowed', async t => {
    for (const code of ['api', 'Status', 'DOCUMENTATION', 'funnels', 'mobile-app']) t.match((await post({ url: 'example.com', custom_code: code })).json(), { errno: 422, data: { code: 'CODE_RESERVED' } }, code)
    for (const path of ['/', '/status']) t.strictSame((await follow(path)).json(), { status: 'ok' }, path)
    t.match((await follow('/robots.txt')).body, 'Disallow')
  })

  t.test('a code belongs to one link whatever its case', async t => {
    t.equal((await post({ url: 'example.com', custom_code: 'Summer-Sale' })).statusCode, 201)
    const taken = await post({ url: 'example.org', custom_code: 'summer-sale' }, two.auth)
    t.match(taken.json(), { errno: 409, message: 'Duplicate document.', data: { code: 'CODE_TAKEN' } })
    t.equal(taken.json<{ data: { suggestions: string[] } }>().data.suggestions.length, 3)
    const generated = await post({ url: 'example.org', custom_code: 'SUMMER-SALE', on_conflict: 'generate' })
    t.match(generated.json(), { data: { custom: false } })
    t.equal((await follow('/SUMMER-sale')).headers.location, 'https://example.com/')
  })

  t.test('of many who want one code at once, one gets it', async t => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post({ url: 'example.com', custom_code: 'race-code' })))
    t.strictSame(answers.map(res => res.statusCode).sort(), [201, ...Array<number>(19).fill(409)])
    const generated = await Promise.all(Array.from({ length: 10 }, () => post({ url: 'example.com', custom_code: 'race-code', on_conflict: 'generate' })))
    t.equal(new Set(generated.map(res => res.json<{ data: Link }>().data.code)).size, 10)
  })

  t.test('an edit, archiving and new life are obeyed by the next request', async t => {
    const link = await make({ url: 'example.com/one' })
    await follow(`/${link.code}`)
    await put(link.id, { url: 'example.com/two' })
    t.equal((await follow(`/${link.code}`)).headers.location, 'https://example.com/two')
    await put(link.id, { active: false })
    t.equal((await follow(`/${link.code}`)).statusCode, 404)
    await put(link.id, { active: true })
    t.equal((await follow(`/${link.code}`)).statusCode, 302)
    await app.inject({ method: 'DELETE', url: `/v1/url/${link.id}`, headers: one.auth })
    t.equal((await follow(`/${link.code}`)).statusCode, 404)
  })

  t.test('a change keeps the fields that it does not carry, and refuses a stale version', async t => {
    const link = await make({ url: 'example.com/keep', title: 'Keep', tags: ['a'] })
    t.match((await put(link.id, { folder: 'f' })).json(), { data: { title: 'Keep', tags: ['a'], folder: 'f', version: 2 } })
    const stale = await app.inject({ method: 'PUT', url: `/v1/url/${link.id}?version=1`, headers: one.auth, payload: { title: 'Late' } })
    t.match(stale.json(), { errno: 409, data: { code: 'VERSION_CONFLICT' } })
    t.match((await put(link.id, {})).json(), { errno: 400 })
  })

  t.test('windows of time are kept to the moment', async t => {
    const inHours = (hours: number) => new Date(clock.now().getTime() + hours * 3_600_000).toISOString()
    const link = await make({ url: 'example.com/window', valid_since: inHours(1), valid_until: inHours(2), expired_url: 'example.com/over' })
    t.equal((await follow(`/${link.code}`)).statusCode, 404)
    clock.forward(3_600_000)
    t.equal((await follow(`/${link.code}`)).headers.location, 'https://example.com/window')
    clock.forward(3_600_000)
    t.equal((await follow(`/${link.code}`)).headers.location, 'https://example.com/over')
    await put(link.id, { expired_url: null })
    t.match(stable(await follow(`/${link.code}`)), { errno: 410, data: { code: 'LINK_EXPIRED' } })
  })

  t.test('targets that would harm are refused by name', async t => {
    for (const url of ['javascript:alert(1)', 'data:text/html,x', 'https://u:p@example.com', 'ftp://example.com', 'http://localhost:5002/abc', 'https://exa\r\nmple.com', 'nothost', 'https://']) {
      t.equal((await post({ url })).statusCode, 422, url)
    }
    t.equal((await post({ url: `https://example.com/${'x'.repeat(2_048)}` })).statusCode, 400)
    t.match((await post({ url: 'http://localhost:5002/abc' })).json(), { data: { code: 'LOOP_DETECTED' } })
  })

  t.test('the visitor\'s parameters are added, the target\'s win, the fragment stays', async t => {
    const link = await make({ url: 'https://example.com/p?utm_source=mail#top' })
    t.equal((await follow(`/${link.code}?utm_source=x&ref=1&qr=1`)).headers.location, 'https://example.com/p?utm_source=mail&ref=1#top')
    const closed = await make({ url: 'https://example.com/p', forward_query: false })
    t.equal((await follow(`/${closed.code}?a=1`)).headers.location, 'https://example.com/p')
    t.notMatch((await follow(`/${link.code}?x=%0d%0aSet-Cookie:%20a`)).headers, { 'set-cookie': /./ })
  })

  t.test('another account\'s link is never seen, counted or found', async t => {
    const link = await make({ url: 'example.com/secret-plan', title: 'Secretplan', external_id: 'x-9' })
    const seen = async (url: string) => (await app.inject({ url, headers: two.auth })).json<{ data: Link[], pagination: { total: number } }>()
    t.match(await seen('/v1/url/search?q=secretplan'), { data: [], pagination: { total: 0 } })
    t.notMatch((await app.inject({ url: '/v1/url/export?format=json', headers: two.auth })).body, 'secret-plan')
    t.equal((await app.inject({ url: '/v1/url/lookup?external_id=x-9', headers: two.auth })).statusCode, 404)
    const foreign = await app.inject({ url: `/v1/url/${link.id}`, headers: two.auth })
    t.strictSame(stable(foreign), stable(await app.inject({ url: `/v1/url/${MISSING}`, headers: two.auth })))
    const bulk = await app.inject({ method: 'POST', url: '/v1/url/bulk', headers: two.auth, payload: { operation: 'update', items: [{ id: link.id, title: 'Mine' }] } })
    t.match(bulk.json(), { data: { results: [{ status: 'failed', error: { code: 'LINK_NOT_FOUND' } }] } })
  })

  t.test('pages and cursors meet every link once, also while links are made', async t => {
    const three = await app.seed()
    for (let i = 0; i < 25; i++) await post({ url: `example.com/${i}`, title: i % 3 === 0 ? undefined : `T${i % 7}` }, three.auth)
    const list = async (query: string) => (await app.inject({ url: `/v1/url?${query}`, headers: three.auth })).json<{ data: Link[], pagination: { total?: number, next_cursor: string | null } }>()
    t.match((await list('limit=10')).pagination, { total: 25, totalPages: 3, page: 1 })
    for (const sort of ['-created_at', 'title', '-title', 'visits', '-last_visit_at,title']) {
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page: { data: Link[], pagination: { next_cursor: string | null } } = await list(`limit=7&sort=${sort}${cursor === null ? '' : `&cursor=${cursor}`}`)
        seen.push(...page.data.map(link => link.id))
        cursor = page.pagination.next_cursor
      } while (cursor !== null)
      t.equal(seen.length, 25, sort)
      t.equal(new Set(seen).size, 25, sort)
    }
    t.match(await list('cursor=bm9uc2Vuc2U'), { errno: 400, data: { code: 'INVALID_CURSOR' } })
    t.match(await list('sort=url'), { errno: 400 })
    t.match(await list('fields=code,url&limit=1'), { data: [{ id: String, code: String, url: String }] })
  })

  t.test('a bulk of rows does the good ones and names the bad ones, with an event for each', async t => {
    const before = await events(app)
    const items = Array.from({ length: 20 }, (_, i) => ({ url: i % 7 === 3 ? 'javascript:x' : `example.com/b${i}` }))
    const res = await app.inject({ method: 'POST', url: '/v1/url/bulk', headers: one.auth, payload: { operation: 'create', items } })
    t.equal(res.statusCode, 207)
    t.match(res.json(), { data: { counts: { total: 20, succeeded: 17, failed: 3 }, results: { 3: { index: 3, status: 'failed', error: { code: 'INVALID_TARGET_URL' } } } } })
    t.equal(await events(app) - before, 17)
    t.equal((await app.inject({ method: 'POST', url: '/v1/url/bulk', headers: one.auth, payload: { operation: 'create', items: Array(501).fill({ url: 'a.com' }) } })).statusCode, 400)
  })

  t.test('an export holds every link and no cell that a spreadsheet would run', async t => {
    const four = await app.seed()
    await post({ url: 'example.com/f', title: '=HYPERLINK("http://evil")' }, four.auth)
    await post({ url: 'example.com/g', title: 'plain "quoted", text' }, four.auth)
    const res = await app.inject({ url: '/v1/url/export?sort=created_at', headers: four.auth })
    t.match(res.headers, { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': /attachment; filename="links-/ })
    t.match(res.body, '"\'=HYPERLINK(""http://evil"")"')
    t.match(res.body, '"plain ""quoted"", text"')
    t.equal((await app.inject({ url: '/v1/url/export?format=json', headers: four.auth })).json<Link[]>().length, 2)
  })

  t.test('an import writes good rows once, reports bad ones and counts both', async t => {
    const five = await app.seed()
    const rows = Array.from({ length: 230 }, (_, i) => i % 50 === 7 ? { url: '' } : { url: `example.com/i${i}`, external_id: `e${i}`, tags: 'a|b' })
    const res = await app.inject({ method: 'POST', url: '/v1/url/import', headers: five.auth, payload: { rows } })
    t.equal(res.statusCode, 202)
    await app.services.platform.jobs.runOnce('queue:url-import')
    const row = await app.mongo.collection('queues').findOne({ source: 'url-import', account_id: { $exists: true } }, { sort: { _id: -1 } })
    t.match(row, { status: 'partial', progress: { total: 230, done: 230, added: 225, errors: 5 } })
    t.equal(await app.mongo.collection('queue-row-errors').countDocuments({ queue_id: row!._id }), 5)
    t.equal((await app.inject({ url: '/v1/url?limit=1', headers: five.auth })).json<{ pagination: { total: number } }>().pagination.total, 225)
  })
})

const events = (app: TestApp) => app.mongo.collection('_events').countDocuments({ type: 'link.created' })

const live = (change: Partial<LiveLink>): LiveLink => ({
  id: MISSING, accountId: MISSING, target: 'https://example.com/', status: 302, forwardQuery: true, crawlable: false, active: true, archived: false, blocked: false,
  validSince: -Infinity, validUntil: Infinity, expiredUrl: null, ...change
})

t.test('a refusing state always wins over the target', async () => {
  fc.assert(fc.property(
    fc.record({ active: fc.boolean(), archived: fc.boolean(), blocked: fc.boolean(), since: fc.integer({ min: -5, max: 5 }), until: fc.integer({ min: -5, max: 5 }), fallback: fc.boolean() }),
    ({ active, archived, blocked, since, until, fallback }) => {
      const decision = decide(live({ active, archived, blocked, validSince: since, validUntil: until, expiredUrl: fallback ? 'https://example.com/over' : null }), '', 0)
      const open = active && !archived && !blocked && since <= 0 && until > 0
      return (decision.kind === 'redirect') === open && (open || !JSON.stringify(decision).includes('"https://example.com/"'))
    }
  ))
})

t.test('targets: what is accepted is a plain web address, and adding a query never changes where it leads', async () => {
  fc.assert(fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.string(), (url, query) => {
    const checked = checkTarget(url, 'url', new Set())
    const added = new URL(withQuery(checked, query))
    return ['http:', 'https:'].includes(added.protocol) && added.host === new URL(url).host
  }))
})
