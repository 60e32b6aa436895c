import t from 'tap'
import { createHttpClient, silentLog } from '../../src/services/http/index.js'
import { createSms, isNumberRefused, providerCode, segmentsOf, type SmsOptions } from '../../src/services/sms/index.js'
import type { TwinHook } from '../../src/services/twin.js'
import { failure, json, movedClock, wire, type Seen } from './wire.js'

type Test = { testdir (): string, teardown (fn: () => unknown): void }
const clock = movedClock()

function sms (t: Test, options: Partial<SmsOptions> = {}) {
  const http = createHttpClient({ clock, log: silentLog })
  const made = createSms({ http, clock, log: silentLog, production: false, twinDir: options.twinDir ?? t.testdir(), from: '+15005550006', ...options })
  t.teardown(async () => { await http.close(); await made.twin?.close() })
  return made
}
const real = (t: Test, url: string, options: Partial<SmsOptions> = {}) =>
  sms(t, { accountSid: 'AC1', authToken: 'tok', baseUrl: url, ...options })
const form = (seen: Seen | undefined) => [...new URLSearchParams(seen?.body)]

const MESSAGE = {
  sid: 'SM1',
  status: 'queued',
  num_segments: '2',
  from: '+15005550006',
  to: '+14155550100',
  body: 'Hi',
  error_code: null,
  error_message: null,
  account_sid: 'AC1',
  date_created: 'Mon, 05 Jan 2026 12:00:00 +0000',
  date_updated: null,
  date_sent: null,
  num_media: '0',
  price: null,
  price_unit: 'USD',
  direction: 'outbound-api',
  uri: '/x'
}

t.test('the real client speaks the wire format of Twilio', async t => {
  const server = await wire(t, (_seen, res) => json(res, 201, MESSAGE))
  const client = real(t, server.url)
  t.equal(client.state(), 'ok')
  const sent = await client.send({
    to: '+14155550100', body: 'Hi', media: ['https://a.test/1.png', 'https://a.test/2.png'], statusCallback: 'https://api.test/v1/webhooks/twilio/status?x=1', ref: 'row-1'
  }, { requestId: 'req-1' })
  t.strictSame(sent, { sid: 'SM1', status: 'queued', segments: 2 })
  t.match(server.seen[0], {
    method: 'POST',
    url: '/2010-04-01/Accounts/AC1/Messages.json',
    headers: { authorization: `Basic ${Buffer.from('AC1:tok').toString('base64')}`, 'x-request-id': 'req-1', 'content-type': 'application/x-www-form-urlencoded' }
  })
  t.strictSame(form(server.seen[0]), [
    ['To', '+14155550100'],
    ['StatusCallback', 'https://api.test/v1/webhooks/twilio/status?x=1&ref=row-1'],
    ['From', '+15005550006'],
    ['Body', 'Hi'],
    ['MediaUrl', 'https://a.test/1.png'],
    ['MediaUrl', 'https://a.test/2.png']
  ])
  await client.send({ to: '+14155550100', body: 'Hi', from: '+15005550099', accountSid: 'AC2' })
  t.equal(server.seen[1]?.url, '/2010-04-01/Accounts/AC2/Messages.json')
  t.ok(form(server.seen[1]).some(([name, value]) => name === 'From' && value === '+15005550099'))
  await real(t, server.url, { messagingServiceSid: 'MG1' }).send({ to: '+14155550100', body: 'Hi' })
  t.ok(form(server.seen[2]).some(([name, value]) => name === 'MessagingServiceSid' && value === 'MG1'))
})

t.test('reading: one message, the messages since a moment, a number, prices', async t => {
  const server = await wire(t, (seen, res) => {
    if (seen.url.includes('/Messages/SM1')) json(res, 200, { ...MESSAGE, status: 'delivered' })
    else if (seen.url.includes('/Messages.json')) json(res, 200, { messages: [MESSAGE], next_page_uri: null })
    else if (seen.url.startsWith('/v2/PhoneNumbers/')) json(res, 200, { valid: true, phone_number: '+14155550100', country_code: 'US', line_type_intelligence: { type: 'mobile' } })
    else json(res, 200, { iso_country: 'US', price_unit: 'usd', inbound_sms_prices: [{ number_type: 'local', current_price: '0.0079' }], outbound_sms_prices: [{ carrier: 'X', prices: [{ current_price: '0.0083' }] }] })
  })
  const client = real(t, server.url)
  t.match(await client.get('SM1'), { sid: 'SM1', status: 'delivered', createdAt: new Date('2026-01-05T12:00:00Z') })
  t.match(await client.find({ to: '+14155550100', since: new Date('2026-01-05T00:00:00Z') }), [{ sid: 'SM1', body: 'Hi' }])
  t.match(server.seen[1]?.url, /To=%2B14155550100&DateSent%3E=2026-01-05/)
  t.strictSame(await client.lookup('+14155550100'), { valid: true, e164: '+14155550100', country: 'US', lineType: 'mobile' })
  t.strictSame(await client.prices('US'), { country: 'US', currency: 'USD', inbound: [{ type: 'local', price: '0.0079' }], outbound: [{ carrier: 'X', price: '0.0083' }] })
})

t.test('numbers and calls', async t => {
  const number = { sid: 'PN1', phone_number: '+12125550100', friendly_name: 'N', sms_url: 'https://s', voice_url: '', capabilities: { voice: true, SMS: true, mms: false } }
  const server = await wire(t, (seen, res) => {
    if (seen.url.includes('/AvailablePhoneNumbers/US/Local')) {
      json(res, 200, { available_phone_numbers: [{ ...number, locality: 'NY', region: 'NY', postal_code: null, iso_country: 'US', address_requirements: 'none', beta: false }] })
    } else if (seen.url.startsWith('/v1/PhoneNumbers/Countries/US')) json(res, 200, { price_unit: 'usd', phone_number_prices: [{ number_type: 'local', current_price: '1.15' }] })
    else if (seen.url.includes('/AvailablePhoneNumbers.json')) json(res, 200, { countries: [{ country_code: 'US', country: 'United States', beta: false }], next_page_uri: null })
    else if (seen.url.includes('/Calls.json')) json(res, 201, { sid: 'CA1', status: 'queued' })
    else if (seen.method === 'DELETE') res.writeHead(204).end()
    else json(res, 200, number)
  })
  const client = real(t, server.url)
  t.match(await client.numbers.search({ country: 'US', areaCode: '212', capabilities: ['sms'], limit: 5 }), [
    { phone_number: '+12125550100', locality: 'NY', capabilities: { voice: true, sms: true, mms: false, fax: false }, monthly_price: { amount: 115, currency: 'USD' } }
  ])
  t.match(server.seen[0]?.url, /AreaCode=212&SmsEnabled=true/)
  t.match(await client.numbers.buy({ phoneNumber: '+12125550100', smsUrl: 'https://s', voiceUrl: 'https://v' }), { sid: 'PN1', smsUrl: 'https://s', voiceUrl: null })
  t.match(await client.numbers.update('PN1', { smsUrl: 'https://s2' }), { sid: 'PN1' })
  await client.numbers.release('PN1')
  t.strictSame(await client.numbers.countries(), [{ code: 'US', name: 'United States', beta: false }])
  t.strictSame(await client.call({ from: '+1"2', to: '+13', bridgeTo: '+1<4', statusCallback: 'https://c' }), { sid: 'CA1', status: 'queued' })
  const fields = Object.fromEntries(form(server.seen.at(-1)))
  t.equal(fields.Twiml, '<Response><Dial callerId="+12">+14</Dial></Response>')
})

t.test('refusals keep Twilio\'s own code; broken and silent answers are ours; nothing is sent twice', async t => {
  const server = await wire(t, (_seen, res) => json(res, 400, { code: 21211, message: "The 'To' number is not valid", more_info: 'https://www.twilio.com/docs/errors/21211', status: 400 }))
  const client = real(t, server.url)
  const error = await failure(client.send({ to: '+1', body: 'x' }))
  t.match(error, { status: 400, code: 'UPSTREAM_ERROR' })
  t.equal(providerCode(error), 21211)
  t.ok(isNumberRefused(error))
  server.script((_seen, res) => { res.writeHead(201).end('<html>') })
  t.match(await failure(client.send({ to: '+1', body: 'x' })), { code: 'UPSTREAM_BAD_RESPONSE' })
  server.script((_seen, res) => json(res, 429, { code: 20429 }, { 'retry-after': '2' }))
  t.match(await failure(client.send({ to: '+1', body: 'x' })), { status: 429, retryAfter: 2 })
  server.script((_seen, res) => { res.destroy() })
  t.match(await failure(client.send({ to: '+1', body: 'x' })), { code: 'UPSTREAM_UNAVAILABLE', outcome: 'unknown' })
  t.equal(server.seen.length, 4)
  const stop = AbortSignal.timeout(50)
  server.script(() => {})
  t.match(await failure(client.send({ to: '+1', body: 'x' }, { signal: stop })), { name: 'TimeoutError' })
})

t.test('many are settled by what became of them', async t => {
  const { sendMany } = sms(t)
  const list = ['+14155550100', '+15005550001', '+14155550101', 'nonsense'].map(to => ({ to, body: 'Hi' }))
  const result = await sendMany(list)
  t.strictSame(result.validNumberArr, ['+14155550100', '+14155550101'])
  t.strictSame(result.invalidNumberArr, ['+15005550001', 'nonsense'])
  t.match(result.sentSmsDetails, [{ to: '+14155550100', sid: /^SM[0-9a-f]{32}$/, status: 'queued' }, { to: '+14155550101' }])
  t.strictSame(result.failed, [])
})

t.test('production without keys refuses and names the variable', async t => {
  const off = sms(t, { production: true })
  t.equal(off.state(), 'not_configured')
  const expected = { status: 503, code: 'TWILIO_NOT_CONFIGURED', info: 'TWILIO_ACCOUNT_SID is not set.' }
  t.match(await failure(off.send({ to: '+1', body: 'x' })), expected)
  t.match(await failure(off.sendMany([{ to: '+1', body: 'x' }])), expected)
  t.match(await failure(off.numbers.countries()), expected)
  t.throws(() => off.verify('', {}, ''), expected)
  const half = sms(t, { production: true, accountSid: 'AC1' })
  t.match(await failure(half.send({ to: '+1', body: 'x' })), { info: 'TWILIO_AUTH_TOKEN is not set.' })
})

t.test('the signature is Twilio\'s own', async t => {
  // the example of Twilio's documentation
  const client = sms(t, { accountSid: 'AC1', authToken: '12345' })
  const params = { CallSid: 'CA1234567890ABCDE', Caller: '+14158675309', Digits: '1234', From: '+14158675309', To: '+18005551212' }
  const url = 'https://mycompany.com/myapp.php?foo=1&bar=2'
  t.ok(client.verify(url, params, 'RSOYDt4T1cUTdK1PDd93/VVr8B8='))
  const { default: twilio } = await import('twilio')
  const { signCall } = await import('../../src/services/sms/signature.js')
  t.ok(twilio.validateRequest('12345', signCall(url, params, '12345'), url, params))
  t.ok(client.verify(url, params, signCall(url, params, '12345')))
  t.notOk(client.verify(url, { ...params, Digits: '1' }, signCall(url, params, '12345')))
  t.notOk(client.verify(url + '&a=1', params, signCall(url, params, '12345')))
  t.notOk(client.verify(url, params, ''))
})

t.test('the twin goes from queued to delivered and tells our route with a signature that verifies', async t => {
  const hooks: TwinHook[] = []
  const local = sms(t, { deliver: async hook => { hooks.push(hook); return 204 } })
  const callback = 'http://localhost:5002/v1/webhooks/twilio/status'
  const statuses = () => hooks.map(hook => new URLSearchParams(hook.body as string).get('MessageStatus'))
  const { sid } = await local.send({ to: '+14155550100', body: 'Hi', statusCallback: callback, ref: 'row-1', account: 'a1' })
  t.match(sid, /^SM[0-9a-f]{32}$/)
  t.equal((await local.get(sid)).status, 'queued')
  await local.twin?.idle()
  t.strictSame(statuses(), ['queued', 'sent', 'delivered'])
  t.equal((await local.get(sid)).status, 'delivered')
  const [hook] = hooks
  const params = Object.fromEntries(new URLSearchParams(hook?.body as string))
  t.equal(hook?.url, `${callback}?ref=row-1`)
  t.ok(local.verify(hook?.url ?? '', params, hook?.headers['x-twilio-signature'] ?? ''))
  t.match(await local.find({ to: '+14155550100', since: new Date(0), ref: 'row-1' }), [{ sid }])
  t.strictSame(await local.find({ to: '+14155550100', since: new Date(0), ref: 'row-2' }), [])
  t.match(local.twin?.messages({ to: '+14155550100' }), [{ sid }])

  hooks.length = 0
  local.twin?.fault({ mode: 'duplicate' })
  await local.send({ to: '+14155550100', body: 'Hi', statusCallback: callback })
  await local.twin?.idle()
  t.strictSame(statuses(), ['queued', 'queued', 'sent', 'sent', 'delivered', 'delivered'])
  hooks.length = 0
  local.twin?.fault({ mode: 'reorder' })
  await local.send({ to: '+14155550100', body: 'Hi', statusCallback: callback })
  await local.twin?.idle()
  t.strictSame(statuses(), ['delivered', 'sent', 'queued'])
  hooks.length = 0
  const lost = await local.send({ to: '+14155559999', body: 'Hi', statusCallback: callback })
  await local.twin?.idle()
  t.strictSame(statuses(), ['queued', 'sent', 'undelivered'])
  t.match(await local.get(lost.sid), { errorCode: 30003 })
})

t.test('the twin refuses the numbers that Twilio refuses', async t => {
  const local = sms(t)
  const codes = { '+15005550001': 21211, '+15005550002': 21612, '+15005550003': 21408, '+15005550004': 21610, '+15005550009': 21614, 12: 21211 }
  for (const [to, code] of Object.entries(codes)) t.equal(providerCode(await failure(local.send({ to, body: 'x' }))), code, to)
  for (const [from, code] of Object.entries({ '+15005550007': 21606, '+15005550008': 21611 })) {
    t.equal(providerCode(await failure(local.send({ to: '+14155550100', from, body: 'x' }))), code, from)
  }
  t.match(await failure(local.get('SM0')), { status: 404 })
  t.strictSame(await local.lookup('+14155550000'), { valid: false, e164: null, country: null, lineType: null })
  t.match(await local.lookup('+14155550100'), { valid: true })
})

t.test('the twin sells numbers once, remembers them over a restart, and lets people write to them', async t => {
  const twinDir = t.testdir()
  const server = await wire(t, (_seen, res) => { res.writeHead(200).end('<Response/>') })
  const local = sms(t, { twinDir })
  const [first, second] = await local.numbers.search({ country: 'US', areaCode: '415' })
  const number = first?.phone_number ?? ''
  t.match(number, /^\+1415\d{7}$/)
  const bought = await local.numbers.buy({ phoneNumber: number, smsUrl: `${server.url}/sms`, voiceUrl: `${server.url}/voice` })
  t.equal((await local.numbers.search({ country: 'US', areaCode: '415' }))[0]?.phone_number, second?.phone_number)
  t.equal(providerCode(await failure(local.numbers.buy({ phoneNumber: number, smsUrl: '', voiceUrl: '' }))), 21422)
  local.twin?.inbound({ from: '+14155550199', to: number, body: 'STOP', media: [{ url: 'https://m/1', type: 'image/png' }] })
  await local.twin?.idle()
  const params = Object.fromEntries(form(server.seen[0]))
  t.match(params, { From: '+14155550199', To: number, Body: 'STOP', NumMedia: '1', MediaUrl0: 'https://m/1', SmsStatus: 'received' })
  t.ok(local.verify(`${server.url}/sms`, params, String(server.seen[0]?.headers['x-twilio-signature'])))
  const again = sms(t, { twinDir })
  t.equal(again.twin?.authToken, local.twin?.authToken)
  t.match(await again.numbers.update(bought.sid, { friendlyName: 'Main' }), { friendlyName: 'Main', phoneNumber: number })
  await again.numbers.release(bought.sid)
  t.match(await failure(again.numbers.release(bought.sid)), { status: 404 })
  t.strictSame(await again.numbers.search({ country: 'XX' }), [])
})

t.test('a call of the twin rings, is answered and ends', async t => {
  const hooks: TwinHook[] = []
  const local = sms(t, { deliver: async hook => { hooks.push(hook); return 204 } })
  t.match(await local.call({ from: '+15005550006', to: '+14155550100', bridgeTo: '+14155550101', statusCallback: 'http://localhost/c' }), { sid: /^CA/, status: 'queued' })
  await local.twin?.idle()
  t.strictSame(hooks.map(hook => new URLSearchParams(hook.body as string).get('CallStatus')), ['ringing', 'in-progress', 'completed'])
})

t.test('segments', async t => {
  t.strictSame(segmentsOf(''), { encoding: 'GSM-7', segments: 1 })
  t.strictSame(segmentsOf('a'.repeat(160)), { encoding: 'GSM-7', segments: 1 })
  t.strictSame(segmentsOf('a'.repeat(161)), { encoding: 'GSM-7', segments: 2 })
  t.strictSame(segmentsOf('a'.repeat(306)), { encoding: 'GSM-7', segments: 2 })
  t.strictSame(segmentsOf('a'.repeat(307)), { encoding: 'GSM-7', segments: 3 })
  t.strictSame(segmentsOf('€'.repeat(80)), { encoding: 'GSM-7', segments: 1 })
  t.strictSame(segmentsOf('€'.repeat(81)), { encoding: 'GSM-7', segments: 2 })
  t.strictSame(segmentsOf('ł'.repeat(70)), { encoding: 'UCS-2', segments: 1 })
  t.strictSame(segmentsOf('ł'.repeat(71)), { encoding: 'UCS-2', segments: 2 })
  t.strictSame(segmentsOf('😀'.repeat(35)), { encoding: 'UCS-2', segments: 1 })
  t.strictSame(segmentsOf('😀'.repeat(67)), { encoding: 'UCS-2', segments: 3 }, 'a pair is never torn')
})
