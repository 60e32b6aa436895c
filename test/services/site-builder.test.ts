import t from 'tap'
import { createHttpClient, silentLog } from '../../src/services/http/index.js'
import { createSiteBuilder, type SiteBuilderOptions } from '../../src/services/site-builder/index.js'
import type { TwinHook } from '../../src/services/twin.js'
import { failure, json, movedClock, wire } from './wire.js'

type Test = { testdir (): string, teardown (fn: () => unknown): void }
const period = { from: new Date('2026-01-01'), to: new Date('2026-01-31') }

function builder (t: Test, options: Partial<SiteBuilderOptions> = {}) {
  const clock = options.clock ?? movedClock()
  const http = createHttpClient({ clock, log: silentLog, random: () => 0 })
  const made = createSiteBuilder({ http, clock, log: silentLog, production: false, twinDir: options.twinDir ?? t.testdir(), slowMs: 30, ...options })
  t.teardown(async () => { await http.close(); await made.twin?.close() })
  return made
}

t.test('the real client speaks Duda\'s Partner API', async t => {
  const site = {
    site_name: 'abc',
    external_uid: 'uid-1',
    template_id: 1_000_772,
    publish_status: 'PUBLISHED',
    site_default_domain: 'x.multiscreensite.com',
    preview_site_url: 'http://p/abc',
    site_domain: 'www.a.example',
    first_published_date: '2026-01-02T10:00:00',
    last_published_date: '2026-01-03T10:00:00'
  }
  const template = { template_id: 7, template_name: 'Shop', preview_url: 'http://p', thumbnail_url: 'http://t' }
  const answers: Record<string, unknown> = {
    'POST /api/sites/multiscreen/create': { site_name: 'abc' },
    'GET /api/sites/multiscreen/byexternalid/uid-1': ['abc'],
    'GET /api/sites/multiscreen/abc': site,
    'GET /api/sites/multiscreen/abc/content': { business_data: { name: 'A' } },
    'POST /api/sites/multiscreen/duplicate/abc': { site_name: 'def' },
    'GET /api/sites/multiscreen/templates': [template],
    'POST /api/sites/multiscreen/templates/fromsite': template,
    'GET /api/analytics/site/abc?from=2026-01-01&to=2026-01-31&result=traffic': { VISITORS: 5, VISITS: 7, PAGE_VIEWS: 20 },
    'GET /api/analytics/site/abc?from=2026-01-01&to=2026-01-31&result=activities': { FORM_SUBMITS: 2 },
    'GET /api/sites/multiscreen/get-forms/abc?from=2026-01-01&to=2026-01-31': [{ form_title: 'Contact', message: { Name: 'Ada', Age: 3 }, date: '2026-01-05T12:00:00' }],
    'GET /api/accounts/sso/agency%40example.com/link?site_name=abc&target=EDITOR': { url: 'https://editor/sso' },
    'GET /api/sites/multiscreen/abc/backups': [{ backup_name: 'b1', created: '2026-01-05T12:00:00' }]
  }
  const server = await wire(t, (seen, res) => {
    const key = `${seen.method} ${seen.url}`
    if (answers[key] === undefined) res.writeHead(204).end()
    else json(res, 200, answers[key])
  })
  const real = builder(t, { baseUrl: `${server.url}/api/`, token: 'user:pw' })
  t.match({ mode: real.mode, state: real.state() }, { mode: 'real', state: 'ok' })
  t.strictSame(await real.createSite({ externalUid: 'uid-1', templateId: '1000772', name: 'Bakery', lang: 'en', domainPrefix: 'bakery' }, { requestId: 'req-1' }), { siteName: 'abc' })
  t.match(server.seen[0]?.headers, { authorization: `Basic ${Buffer.from('user:pw').toString('base64')}`, 'x-request-id': 'req-1' })
  t.strictSame(JSON.parse(server.seen[0]?.body ?? ''), {
    template_id: '1000772', lang: 'en', default_domain_prefix: 'bakery', site_data: { external_uid: 'uid-1', site_business_info: { business_name: 'Bakery' } }
  })
  t.equal(await real.findByExternalUid('uid-1'), 'abc')
  t.match(await real.getSite('abc'), { siteName: 'abc', status: 'PUBLISHED', templateId: '1000772', defaultUrl: 'https://x.multiscreensite.com', domain: 'www.a.example', publishedAt: Date })
  t.strictSame(await real.getContent('abc'), { business_data: { name: 'A' } })
  await real.putContent('abc', { site_texts: { overview: 'x' } })
  await real.publish('abc')
  await real.unpublish('abc')
  await real.deleteSite('abc')
  await real.setDomain('abc', 'www.b.example')
  await real.restore('abc', 'b1')
  t.strictSame(await real.duplicate('abc', { externalUid: 'uid-2', domainPrefix: 'copy' }), { siteName: 'def' })
  t.match(await real.listTemplates(), [{ templateId: '7', name: 'Shop', thumbnailUrl: 'http://t' }])
  t.match(await real.createTemplate({ siteName: 'abc', name: 'Shop' }), { templateId: '7' })
  t.strictSame(await real.stats('abc', period), { visitors: 5, visits: 7, pageViews: 20, formSubmissions: 2 })
  t.match(await real.submissions('abc', period), [{ formTitle: 'Contact', fields: { Name: 'Ada', Age: '3' }, at: Date }])
  t.strictSame(await real.ssoLink('abc', 'agency@example.com'), { url: 'https://editor/sso' })
  t.match(await real.revisions('abc'), [{ id: 'b1' }])
  t.ok(server.seen.every(seen => seen.url.startsWith('/api/')))
  t.ok(server.seen.some(seen => `${seen.method} ${seen.url}` === 'POST /api/sites/multiscreen/publish/abc'))
})

t.test('failures: refusals keep status and data, the rest has our codes; creating is never repeated', async t => {
  const server = await wire(t, (_seen, res) => json(res, 400, { error_code: 'InvalidInput', message: 'template_id', user_password: 'x' }))
  const real = builder(t, { baseUrl: server.url, token: 'user:pw' })
  const create = () => failure(real.createSite({ externalUid: 'u', templateId: 't', name: 'n' }))
  t.match(await create(), { status: 400, code: 'UPSTREAM_ERROR', data: { upstream: { error_code: 'InvalidInput' } } })
  server.script((_seen, res) => json(res, 429, {}, { 'retry-after': '4' }))
  t.match(await create(), { status: 503, code: 'BUILDER_RATE_LIMITED', headers: { 'retry-after': '4' } })
  server.script((_seen, res) => { res.destroy() })
  t.match(await create(), { status: 502, code: 'BUILDER_ERROR', cause: { outcome: 'unknown' } })
  server.script((_seen, res) => json(res, 200, {}))
  t.match(await create(), { status: 502, code: 'BUILDER_ERROR' })
  t.match(await failure(real.listTemplates()), { status: 502, code: 'BUILDER_ERROR' })
  t.equal(server.seen.filter(seen => seen.url === '/sites/multiscreen/create').length, 4)
  server.script((_seen, res) => json(res, 404, {}))
  t.equal(await real.getSite('gone'), null)
  t.equal(await real.findByExternalUid('gone'), null)
  await real.deleteSite('gone')
  t.match(await failure(real.publish('gone')), { status: 404 })
})

t.test('production without a token refuses and names the variable', async t => {
  const off = builder(t, { production: true })
  t.equal(off.state(), 'not_configured')
  t.match(await failure(off.publish('x')), { status: 503, code: 'SITE_BUILDER_NOT_CONFIGURED', info: 'DUDA_TOKEN is not set.' })
  t.throws(() => off.verifyHook('', '', ''), { code: 'SITE_BUILDER_NOT_CONFIGURED', info: 'DUDA_WEBHOOK_SECRET is not set.' })
})

t.test('the twin keeps drafts, publications and revisions, and tells our route', async t => {
  const hooks: TwinHook[] = []
  const twinDir = t.testdir()
  const clock = movedClock()
  const local = builder(t, { twinDir, clock, hooksUrl: 'http://localhost:5002/v1/agencywebsites/webhooks/duda', deliver: async hook => { hooks.push(hook); return 200 } })
  const [template] = await local.listTemplates()
  const { siteName } = await local.createSite({ externalUid: 'uid-1', templateId: template?.templateId ?? '', name: 'Bakery' })
  t.equal(await local.findByExternalUid('uid-1'), siteName)
  t.match(await local.getSite(siteName), { status: 'NOT_PUBLISHED_YET', publishedAt: null, externalUid: 'uid-1' })
  await local.putContent(siteName, { site_texts: { overview: 'First' } })
  await local.publish(siteName)
  await local.putContent(siteName, { site_texts: { overview: 'Second' } })
  const [revision] = await local.revisions(siteName)
  await local.restore(siteName, revision?.id ?? '')
  t.match(await local.getContent(siteName), { business_data: { name: 'Bakery' }, site_texts: { overview: 'First' } })
  t.match(await local.getSite(siteName), { status: 'PUBLISHED', firstPublishedAt: clock.now() })
  await local.twin?.idle()
  const [hook] = hooks
  t.match(JSON.parse(hook?.body as string), { event_type: 'PUBLISH', resource_data: { site_name: siteName, external_uid: 'uid-1' } })
  const proof = [hook?.headers['x-duda-signature'] ?? '', hook?.headers['x-duda-signature-timestamp'] ?? ''] as const
  t.equal(local.verifyHook(hook?.body ?? '', ...proof), 'ok')
  t.equal(local.verifyHook('{}', ...proof), 'invalid')
  clock.move(301_000)
  t.equal(local.verifyHook(hook?.body ?? '', ...proof), 'stale')
  const copy = await local.duplicate(siteName, { externalUid: 'uid-2', domainPrefix: 'x' })
  t.not(copy.siteName, siteName)
  await local.setDomain(siteName, 'www.a.example')
  await local.unpublish(siteName)
  t.match(await local.createTemplate({ siteName, name: 'Mine' }), { name: 'Mine' })
  t.match((await local.ssoLink(siteName, 'a')).url, /token=/)
  t.strictSame(await local.submissions(siteName, period), [])
  t.match(await local.stats(siteName, period), { formSubmissions: 0 })
  const again = builder(t, { twinDir })
  t.match(await again.getSite(siteName), { status: 'UNPUBLISHED', domain: 'www.a.example' })
  await again.deleteSite(siteName)
  await again.deleteSite(siteName)
  t.equal(await again.getSite(siteName), null)
  t.match(await failure(again.publish(siteName)), { status: 404 })
  t.match(await failure(again.createSite({ externalUid: 'u', templateId: 'none', name: 'n' })), { status: 404 })
})

t.test('names and faults make the twin fail or wait', async t => {
  const local = builder(t)
  const [template] = await local.listTemplates()
  const create = (name: string) => local.createSite({ externalUid: name, templateId: template?.templateId ?? '', name })
  t.match(await failure(create('Bad #500')), { status: 500 })
  const started = performance.now()
  const slow = await create('Late #slow')
  t.ok(performance.now() - started >= 25)
  local.twin?.fault({ mode: 'timeout', after: true })
  t.match(await failure(create('Unknown')), { status: 504, code: 'BUILDER_TIMEOUT' })
  t.ok(await local.findByExternalUid('Unknown'), 'it was made all the same: look before you repeat')
  local.twin?.fault({ mode: 'unreachable', match: 'publish' })
  t.match(await failure(local.publish(slow.siteName)), { status: 502, code: 'BUILDER_ERROR' })
})
