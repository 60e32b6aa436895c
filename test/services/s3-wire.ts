import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Kept = { bytes: Buffer, type: string, sha256?: string }
export type S3Seen = { method: string, path: string, query: URLSearchParams, headers: IncomingMessage['headers'] }

const etagOf = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`

/** A small S3: objects of one bucket, ranges, copies, uploads in parts. */
export async function s3Wire (t: { teardown (fn: () => unknown): void }) {
  const objects = new Map<string, Kept>()
  const uploads = new Map<string, { type: string, parts: Map<number, Buffer> }>()
  const seen: S3Seen[] = []
  let fault: ((res: ServerResponse) => void) | null = null

  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const url = new URL(req.url ?? '', 'http://s3')
      seen.push({ method: req.method ?? '', path: decodeURIComponent(url.pathname), query: url.searchParams, headers: req.headers })
      if (fault === null) answer(req, res, url, Buffer.concat(chunks))
      else fault(res)
    })
  })

  function answer (req: IncomingMessage, res: ServerResponse, url: URL, body: Buffer) {
    const key = decodeURIComponent(url.pathname)
    const type = req.headers['content-type'] ?? ''
    if (req.method === 'POST' || url.searchParams.has('partNumber')) { upload(req, res, url, key, type, body); return }
    if (req.method === 'PUT') {
      const from = req.headers['x-amz-copy-source']
      const source = from === undefined ? { bytes: body, type, sha256: req.headers['x-amz-checksum-sha256'] as string } : objects.get('/' + decodeURIComponent(String(from)))
      if (source === undefined) { missing(res); return }
      objects.set(key, source)
      res.writeHead(200, { etag: etagOf(source.bytes) }).end(from === undefined ? '' : `<CopyObjectResult><ETag>${etagOf(source.bytes)}</ETag></CopyObjectResult>`)
      return
    }
    if (req.method === 'DELETE') {
      objects.delete(key)
      uploads.delete(url.searchParams.get('uploadId') ?? '')
      res.writeHead(204).end()
      return
    }
    const found = objects.get(key)
    if (found === undefined) missing(res)
    else send(req, res, url, found)
  }

  function upload (req: IncomingMessage, res: ServerResponse, url: URL, key: string, type: string, body: Buffer) {
    const id = url.searchParams.get('uploadId') ?? ''
    if (url.searchParams.has('uploads')) {
      uploads.set('up-1', { type, parts: new Map() })
      res.end('<InitiateMultipartUploadResult><UploadId>up-1</UploadId></InitiateMultipartUploadResult>')
    } else if (req.method === 'PUT') {
      uploads.get(id)?.parts.set(Number(url.searchParams.get('partNumber')), body)
      res.writeHead(200, { etag: etagOf(body) }).end()
    } else {
      const one = uploads.get(id)
      const bytes = Buffer.concat([...one?.parts ?? []].sort(([a], [b]) => a - b).map(([, part]) => part))
      objects.set(key, { bytes, type: one?.type ?? '' })
      uploads.delete(id)
      res.end(`<CompleteMultipartUploadResult><ETag>${etagOf(bytes)}</ETag></CompleteMultipartUploadResult>`)
    }
  }

  function send (req: IncomingMessage, res: ServerResponse, url: URL, { bytes, type, sha256 }: Kept) {
    const range = /^bytes=(\d+)-(\d*)$/.exec(req.headers.range ?? '')
    const start = range === null ? 0 : Number(range[1])
    const end = range === null || range[2] === '' ? bytes.length - 1 : Math.min(Number(range[2]), bytes.length - 1)
    if (range !== null && start > end) { res.writeHead(416).end('<Error><Code>InvalidRange</Code></Error>'); return }
    res.writeHead(range === null ? 200 : 206, {
      'content-type': url.searchParams.get('response-content-type') ?? type,
      'content-length': String(end - start + 1),
      etag: etagOf(bytes),
      'last-modified': 'Mon, 05 Jan 2026 12:00:00 GMT',
      ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${bytes.length}` }),
      ...(sha256 === undefined ? {} : { 'x-amz-checksum-sha256': sha256 })
    })
    res.end(req.method === 'HEAD' ? undefined : bytes.subarray(start, end + 1))
  }

  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    objects,
    uploads,
    fail (next: typeof fault) { fault = next }
  }
}

const missing = (res: ServerResponse) => { res.writeHead(404, { 'content-type': 'application/xml' }).end('<Error><Code>NoSuchKey</Code><Message>no</Message></Error>') }
