/** What an answer must be. `length` is learnt from the first answer of its kind when not given. */
export interface Expectation {
  status: number
  /** texts that the answer, head included, contains in this order */
  needles: Buffer[]
  length?: number
}

export interface Answer {
  status: number
  /** bytes of the whole answer, head included */
  total: number
  bodyStart: number
  bodyLength: number
}

const HEAD_END = Buffer.from('\r\n\r\n')
const STATUS_AT = 'HTTP/1.1 '.length

/** The answer at the start of `data`, or undefined while it is not complete. */
export function scan (data: Buffer): Answer | undefined {
  const headEnd = data.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const bodyStart = headEnd + HEAD_END.length
  const status = digit(data, STATUS_AT) * 100 + digit(data, STATUS_AT + 1) * 10 + digit(data, STATUS_AT + 2)
  const head = data.toString('latin1', 0, headEnd).toLowerCase()
  const bodyLength = lengthOf(head) ?? (head.includes('\r\ntransfer-encoding: chunked') ? chunked(data, bodyStart) : bodiless(status))
  if (bodyLength === undefined || data.length < bodyStart + bodyLength) return undefined
  return { status, total: bodyStart + bodyLength, bodyStart, bodyLength }
}

/** What is wrong with an answer, or undefined. */
export function fault (data: Buffer, answer: Answer, expected: Expectation): string | undefined {
  if (answer.status !== expected.status) return `status ${answer.status} for ${expected.status}: ${text(data, answer)}`
  expected.length ??= answer.bodyLength
  if (answer.bodyLength !== expected.length) return `${answer.bodyLength} bytes for ${expected.length}: ${text(data, answer)}`
  let at = 0
  for (const needle of expected.needles) {
    at = data.indexOf(needle, at)
    if (at < 0) return `without ${needle.toString()}: ${text(data, answer)}`
    at += needle.length
  }
  return undefined
}

const text = (data: Buffer, { bodyStart, bodyLength }: Answer) => data.toString('utf8', bodyStart, bodyStart + Math.min(bodyLength, 300))

const digit = (data: Buffer, at: number) => (data[at] ?? 0) - 48

function lengthOf (head: string): number | undefined {
  const at = head.indexOf('\r\ncontent-length:')
  if (at < 0) return undefined
  return Number.parseInt(head.slice(at + 17, at + 32), 10)
}

/** Bytes of a chunked body, framing included. */
function chunked (data: Buffer, from: number): number | undefined {
  for (let at = from; ;) {
    const lineEnd = data.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(data.toString('latin1', at, lineEnd), 16)
    at = lineEnd + 2 + size + 2
    if (size === 0) return at - from
    if (at > data.length) return undefined
  }
}

const bodiless = (status: number) => status === 204 || status === 304 ? 0 : undefined
