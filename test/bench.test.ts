import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { linkRow, newestLinks, tokenOf, userRow } from '../bench/dataset.js'
import { Load, type Shot } from '../bench/load.js'
import { mongoTap } from '../bench/mongo-tap.js'
import { options } from '../bench/options.js'
import { fault, scan } from '../bench/scanner.js'
import { estimate, median, quantile, verdict } from '../bench/stats.js'
import { workloads } from '../bench/workloads.js'

const raw = (head: string, body = '') => Buffer.from(`HTTP/1.1 ${head}\r\n\r\n${body}`)

t.test('the scanner finds an answer only when it is complete, however it is cut', async t => {
  const answers = [
    raw('200 OK\r\nContent-Length: 5', 'hello'),
    raw('302 Found\r\nlocation: https://a.example/\r\ncontent-length: 0'),
    raw('204 No Content'),
    raw('200 OK\r\nTransfer-Encoding: chunked', '5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n')
  ]
  for (const whole of answers) {
    fc.assert(fc.property(fc.nat(whole.length), cut => {
      const answer = scan(whole.subarray(0, cut))
      return cut < whole.length ? answer === undefined : answer?.total === whole.length
    }))
    t.equal(scan(Buffer.concat([whole, Buffer.from('HTTP/1.1 200 OK')]))?.total, whole.length)
  }
})

t.test('a wrong status, length or content is a fault', async t => {
  const data = raw('200 OK\r\ncontent-length: 5', 'hello')
  const answer = scan(data)
  if (answer === undefined) throw new Error('not scanned')
  const check = (status: number, needle: string, length?: number) =>
    fault(data, answer, { status, needles: [Buffer.from(needle)], ...(length !== undefined && { length }) })
  t.equal(check(200, 'hello'), undefined)
  t.match(check(404, 'hello'), /^status 200 for 404/)
  t.match(check(200, 'hello', 6), /^5 bytes for 6/)
  t.match(check(200, 'other'), /^without other/)
  t.match(fault(data, answer, { status: 200, needles: [Buffer.from('hello'), Buffer.from('content')] }), /^without content/, 'order counts')
})

async function serve (t: Test, listener: RequestListener) {
  const server = http.createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return port
}

const shot = (): Shot => ({ request: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), expect: { status: 200, needles: [Buffer.from('ok')] } })

t.test('a closed loop sends exactly as many requests as asked for', async t => {
  let served = 0
  const port = await serve(t, (_, res) => {
    served++
    res.end('ok')
  })
  const load = new Load(port, 8, [shot()])
  t.match(await load.burst(500), { answered: 500, errors: [] })
  t.match(await load.burst(3), { answered: 3, errors: [] })
  t.equal(served, 503)
  load.close()
})

t.test('one bad answer and one dropped connection are both errors of the burst', async t => {
  let served = 0
  const port = await serve(t, (req, res) => {
    served++
    if (served === 10) res.statusCode = 500
    if (served === 90) req.socket.destroy()
    else res.end('ok')
  })
  const load = new Load(port, 4, [shot()])
  const { errors } = await load.burst(50)
  t.equal(errors.length, 1)
  t.match(errors[0], /^status 500/)
  t.match((await load.burst(100)).errors[0], /closed before the answer/)
  t.match(await load.burst(20), { answered: 20, errors: [] }, 'the next burst starts anew')
  load.close()
})

t.test('an open loop charges a stall to all whom it delayed', async t => {
  let served = 0
  const port = await serve(t, (_, res) => {
    if (++served === 50) {
      const until = performance.now() + 200
      while (performance.now() < until);
    }
    res.end('ok')
  })
  const load = new Load(port, 4, [shot()])
  const { latencies, errors } = await load.schedule(500, 1)
  t.strictSame(errors, [])
  t.equal(latencies.length, 500)
  const delayed = latencies.filter(latency => latency > 20_000).length
  t.ok(delayed > 60, `${delayed} of about 90 due within the stall`)
  load.close()
})

t.test('median, quantile and the interval of a known sample', async t => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(quantile([0, 10], 0.25), 2.5)
  const constant = estimate([2, 2, 2])
  t.strictSame([constant.median, constant.low, constant.high], [2, 2, 2])
  fc.assert(fc.property(fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 3, maxLength: 40 }), values => {
    const { low, median, high } = estimate(values)
    return low <= median && median <= high && low >= Math.min(...values) && high <= Math.max(...values)
  }), { numRuns: 20 })
  const at = (low: number, high: number) => verdict({ low, high, median: (low + high) / 2, rounds: 1 }, 0.8)
  t.strictSame([at(0.8, 0.9), at(0.7, 0.79), at(0.7, 0.9)], ['pass', 'fail', 'undecided'])
})

t.test('the requests of a workload fit the rows of its data set', async t => {
  const shape = { accounts: 3, users: 10, links: 100 }
  const secret = 's'.repeat(32)
  const [header, claims, signature] = tokenOf(4, shape, secret).split('.')
  t.equal(createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url'), signature)
  t.match(JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()), { accountId: userRow(4, shape).account_id.toHexString() })
  for (const account of [0, 1, 2]) {
    const rows = newestLinks(account, shape).map(index => linkRow(index, shape))
    t.equal(rows.length, 20)
    t.ok(rows.every(row => row.account_id.equals(userRow(account, shape).account_id)))
    t.strictSame(rows.map(row => row.created_at), rows.map(row => row.created_at).sort((a, b) => b.getTime() - a.getTime()))
  }
  for (const workload of Object.values(workloads)) t.ok(workload.shots(shape, secret).length > 0)
})

t.test('the tap counts commands by name and collection, whole or in pieces', async t => {
  const upstream = net.createServer(socket => socket.resume())
  await once(upstream.listen(0, '127.0.0.1'), 'listening')
  const { port } = upstream.address() as AddressInfo
  const tap = await mongoTap(`mongodb://127.0.0.1:${port}/app?replicaSet=rs0`)
  t.teardown(() => {
    tap.close()
    upstream.close()
  })
  t.match(tap.url, /^mongodb:\/\/127\.0\.0\.1:\d+\/app\?directConnection=true$/)
  const name = Buffer.from('\x02find\0\x06\0\0\0links\0\0', 'latin1')
  const message = Buffer.concat([Buffer.alloc(25), name])
  message.writeInt32LE(message.length, 0)
  message.writeInt32LE(2_013, 12)
  const socket = net.connect(Number(/:(\d+)\//.exec(tap.url)?.[1]), '127.0.0.1')
  socket.on('error', () => {})
  const twice = Buffer.concat([message, message])
  socket.write(twice.subarray(0, 30))
  await wait(30)
  socket.write(twice.subarray(30))
  await wait(50)
  t.strictSame([...tap.take()], [['find links', 2]])
  t.strictSame([...tap.take()], [])
  socket.destroy()
})

t.test('flags: quick narrows the parts, unknown ones are refused', async t => {
  t.strictSame([...options(['--only', 'W2,P1']).parts], ['W2', 'P1'])
  t.equal(options([]).parts.size, 9)
  t.notOk(options(['--quick']).parts.has('P3'))
  t.throws(() => options(['--only', 'W9']), /unknown part W9/)
  t.throws(() => options(['--fast']))
})
