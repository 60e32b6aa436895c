import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createHttpClient, silentLog } from '../../src/services/http/index.js'
import { createMail, parseAddresses, type MailOptions } from '../../src/services/mail/index.js'
import type { TwinHook } from '../../src/services/twin.js'
import { failure, json, memoryLog, movedClock, wire } from './wire.js'

type Test = { testdir (): string, teardown (fn: () => unknown): void }
const clock = movedClock()

function mail (t: Test, options: Partial<MailOptions> = {}) {
  const http = createHttpClient({ clock, log: silentLog })
  const made = createMail({ http, clock, log: silentLog, production: false, twinDir: options.twinDir ?? t.testdir(), from: { email: 'no-reply@platform.test', name: 'Platform' }, ...options })
  t.teardown(async () => { await http.close(); await made.twin?.close() })
  return made
}
const letter = { to: [{ email: 'ada@example.com', name: 'Ada' }], subject: 'Hello', text: 'Read https://a.test/x?b=1&c=2.' }

t.test('the real client speaks the wire format of SendGrid', async t => {
  const server = await wire(t, (_seen, res) => { res.writeHead(202, { 'x-message-id': 'msg-1' }).end() })
  const real = mail(t, { apiKey: 'SG.master', baseUrl: `${server.url}/`, keyOf: async account => account === 'a1' ? 'SG.sub' : null })
  t.equal(real.mode, 'real')
  t.equal(real.state(), 'ok')
  const sent = await real.send({
    ...letter,
    account: 'a1',
    cc: [{ email: 'cc@example.com' }],
    bcc: [],
    replyTo: { email: 'reply@example.com' },
    html: '<p>Hi</p>',
    headers: { 'List-Unsubscribe': '<https://a.test/u>' },
    attachments: [{ filename: 'a.txt', content: Buffer.from('file'), type: 'text/plain' }, { filename: 'l.png', content: Buffer.from('png'), type: 'image/png', contentId: 'logo' }],
    ref: 'row-1'
  }, { requestId: 'req-1' })
  t.strictSame(sent, { messageId: 'msg-1' })
  t.match(server.seen[0], { method: 'POST', url: '/v3/mail/send', headers: { authorization: 'Bearer SG.sub', 'x-request-id': 'req-1', 'content-type': 'application/json' } })
  t.match(JSON.parse(server.seen[0]?.body ?? ''), {
    from: { email: 'no-reply@platform.test', name: 'Platform' },
    reply_to: { email: 'reply@example.com' },
    subject: 'Hello',
    personalizations: [{ to: [{ email: 'ada@example.com', name: 'Ada' }], cc: [{ email: 'cc@example.com' }] }],
    content: [{ type: 'text/plain', value: letter.text }, { type: 'text/html', value: '<p>Hi</p>' }],
    attachments: [{ filename: 'a.txt', content: 'ZmlsZQ==', disposition: 'attachment' }, { content_id: 'logo', disposition: 'inline' }],
    headers: { 'List-Unsubscribe': '<https://a.test/u>' },
    custom_args: { ref: 'row-1' }
  })
  await real.send({ ...letter, account: 'a2' })
  t.equal(server.seen[1]?.headers.authorization, 'Bearer SG.master')
})

t.test('refusals keep status and errors without the key; nothing is sent twice', async t => {
  const server = await wire(t, (_seen, res) => json(res, 400, { errors: [{ message: 'The from address is not verified', field: 'from', help: null }] }))
  const real = mail(t, { apiKey: 'SG.master.secret', baseUrl: server.url })
  const error = await failure(real.send(letter))
  t.match(error, { status: 400, code: 'UPSTREAM_ERROR', data: { upstream: { errors: [{ message: 'The from address is not verified', field: 'from' }] } } })
  t.notMatch(JSON.stringify(error.data), /SG\./)
  server.script((_seen, res) => json(res, 503, {}, { 'retry-after': '3' }))
  t.match(await failure(real.send(letter)), { status: 503, retryAfter: 3 })
  t.equal(server.seen.length, 2)
  server.script((_seen, res) => { res.writeHead(202).end() })
  t.match(await failure(real.send(letter)), { code: 'UPSTREAM_BAD_RESPONSE' })
  server.script((_seen, res) => { res.destroy() })
  t.match(await failure(real.send(letter)), { code: 'UPSTREAM_UNAVAILABLE', status: 502 })
})

t.test('production without a key refuses and names the variable', async t => {
  const off = mail(t, { production: true })
  t.equal(off.state(), 'not_configured')
  t.match(await failure(off.send(letter)), { status: 503, code: 'SENDGRID_NOT_CONFIGURED', info: 'SENDGRID_API_KEY is not set.' })
  t.throws(() => off.verifyEvents('', '', ''), { code: 'SENDGRID_NOT_CONFIGURED', info: 'SENDGRID_WEBHOOK_PUBLIC_KEY is not set.' })
  t.equal(off.twin, undefined)
})

t.test('the twin keeps the mail, its links and a file, and prints the links', async t => {
  const log = memoryLog()
  const local = mail(t, { log })
  const { messageId } = await local.send({ ...letter, html: '<a href="https://a.test/y?d=1&amp;e=2">x</a>', subject: 'Grüße\r\nBcc: evil@x', attachments: [{ filename: 'ä.txt', content: Buffer.from('f'), type: 'text/plain' }] })
  const [kept] = await local.twin?.mails({ to: 'ada@example.com' }) ?? []
  t.match(kept, { message_id: messageId, links: ['https://a.test/x?b=1&c=2.', 'https://a.test/y?d=1&e=2'], attachments: [{ filename: 'ä.txt', size: 1 }] })
  t.strictSame(await local.twin?.mails({ to: 'other@example.com' }), [])
  t.match(log.lines.find(line => line.text === 'mail'), { level: 'info', links: kept?.links })
  const eml = await readFile(join(local.twin?.folder ?? '', `${messageId}.eml`), 'utf8')
  t.match(eml, /^From: "Platform" <no-reply@platform.test>\r\nTo: "Ada" <ada@example.com>\r\nSubject: =\?utf-8\?B\?/)
  t.notMatch(eml, /^Bcc: evil/m)
  t.match(eml, Buffer.from(letter.text).toString('base64'))
})

t.test('the twin sends signed events that verify; named addresses take their course', async t => {
  const hooks: TwinHook[] = []
  const local = mail(t, { eventsUrl: 'http://localhost:5002/v1/webhooks/sendgrid/events', deliver: async hook => { hooks.push(hook); return 204 } })
  const eventsOf = async (email: string) => {
    hooks.length = 0
    await local.send({ ...letter, to: [{ email }], ref: 'row-9' })
    await local.twin?.idle()
    return hooks.flatMap(hook => JSON.parse(hook.body as string) as Array<{ event: string, ref: string }>).map(event => event.event)
  }
  t.strictSame(await eventsOf('ada@example.com'), ['processed', 'delivered'])
  const [hook] = hooks
  const signature = hook?.headers['x-twilio-email-event-webhook-signature'] ?? ''
  const timestamp = hook?.headers['x-twilio-email-event-webhook-timestamp'] ?? ''
  const body = hook?.body ?? ''
  t.match(JSON.parse(body), [{ ref: 'row-9', email: 'ada@example.com', sg_message_id: /\.twin$/ }])
  t.equal(local.verifyEvents(body, signature, timestamp), 'ok')
  t.equal(local.verifyEvents(body + ' ', signature, timestamp), 'invalid')
  t.equal(local.verifyEvents(body, signature, String(Number(timestamp) + 1)), 'invalid')
  t.equal(local.verifyEvents(body, 'bm90', timestamp), 'invalid')
  t.equal(local.verifyEvents(body, signature, 'x'), 'invalid')
  clock.move(301_000)
  t.equal(local.verifyEvents(body, signature, timestamp), 'stale')
  t.strictSame(await eventsOf('bounce+1@example.com'), ['processed', 'bounce'])
  t.strictSame(await eventsOf('click+1@example.com'), ['processed', 'delivered', 'open', 'click'])
  local.twin?.fault({ mode: 'duplicate' })
  t.strictSame(await eventsOf('ada@example.com'), ['processed', 'processed', 'delivered', 'delivered'])
  local.twin?.fault({ mode: 'drop' })
  t.strictSame(await eventsOf('ada@example.com'), [])
  local.twin?.fault({ mode: 'status', status: 429 })
  t.match(await failure(local.send(letter)), { status: 429 })
})

t.test('the key of the twin survives a restart', async t => {
  const twinDir = t.testdir()
  const first = mail(t, { twinDir })
  await first.send(letter)
  await first.twin?.idle()
  const second = mail(t, { twinDir })
  t.equal(second.twin?.publicKey, first.twin?.publicKey)
  t.equal((await second.twin?.mails())?.length, 1)
})

t.test('a written mail arrives as a form', async t => {
  const server = await wire(t, (_seen, res) => { res.writeHead(204).end() })
  const local = mail(t, { inboundUrl: `${server.url}/inbound/token` })
  local.twin?.inbound({ from: 'Ada <ada@example.com>', to: 'reply+abc@in.test', subject: 'Re: Hello', text: 'Yes', inReplyTo: '<m1@x>' })
  await local.twin?.idle()
  t.match(server.seen[0], { method: 'POST', url: '/inbound/token', headers: { 'content-type': /^multipart\/form-data; boundary=/ } })
  t.match(server.seen[0]?.body, /name="text"\r\n\r\nYes\r\n/)
})

t.test('an inbound form is read field by field, whatever is missing', async t => {
  const { parseInbound } = mail(t)
  t.strictSame(parseInbound({
    headers: 'Message-ID: <m2@x>\nIn-Reply-To:\n <m1@x>\nReferences: <m0@x>\n\t<m1@x>\nSubject: first\nsubject: second',
    from: '"Byron, Ada" <ADA@Example.com>',
    to: 'a@in.test, B <b@in.test>',
    subject: 'Re',
    text: 'T',
    html: '<p>T</p>',
    envelope: '{"to":["Reply+tok@in.test"],"from":"ada@example.com"}',
    spam_score: '2.5',
    'attachment-info': '{"attachment1":{"filename":"a.pdf","type":"application/pdf","content-id":"c1"},"attachment2":{}}'
  }), {
    from: { email: 'ada@example.com', name: 'Byron, Ada' },
    to: [{ email: 'a@in.test' }, { email: 'b@in.test', name: 'B' }],
    cc: [],
    deliveredTo: ['reply+tok@in.test'],
    subject: 'Re',
    text: 'T',
    html: '<p>T</p>',
    messageId: '<m2@x>',
    inReplyTo: '<m1@x>',
    references: ['<m0@x>', '<m1@x>'],
    spamScore: 2.5,
    attachments: [
      { field: 'attachment1', filename: 'a.pdf', type: 'application/pdf', contentId: 'c1' },
      { field: 'attachment2', filename: 'attachment2', type: 'application/octet-stream', contentId: null }
    ]
  })
  t.match(parseInbound({ envelope: '{broken', 'attachment-info': '[]' }), { from: null, deliveredTo: [], attachments: [], spamScore: null })
  t.strictSame(parseAddresses('nobody, <x>, a@b.c; , "q" <q@d.e>, @f'), [{ email: 'q@d.e', name: 'q' }])
  const started = performance.now()
  parseAddresses('"<,'.repeat(50_000))
  parseInbound({ headers: 'a:'.repeat(60_000) + '\n '.repeat(60_000) })
  t.ok(performance.now() - started < 200)
})
