import { accountId, atMost, linkCode, linkId, linkRow, newestLinks, PAGE, redirectCode, REDIRECTS, targetOf, tokenOf, type Shape } from './dataset.js'
import { cursorAfter } from './link.js'
import type { Shot } from './load.js'
import { draws } from './stats.js'

export const WORKLOADS = ['W1', 'W2', 'W3', 'W4'] as const
export type WorkloadName = typeof WORKLOADS[number]

export interface Workload {
  name: WorkloadName
  title: string
  /** least ratio of costs floor/ours */
  target: number
  /** least ratio of costs Express/ours */
  toExpress: number
  shots: (shape: Shape, secret: string) => Shot[]
  /** measured besides; the quick mode leaves them out */
  variants: { title: string, connections?: number, shots?: Workload['shots'] }[]
}

export const CONNECTIONS = 50

/** Ids, codes and tokens are drawn from so many that no memo hides the work. */
const DRAWN = 1_000
const BROWSER = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36'

function request (path: string, headers: Record<string, string> = {}): Buffer {
  const all = { Host: 'localhost', 'User-Agent': BROWSER, Accept: '*/*', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

const needles = (...texts: string[]) => texts.map(text => Buffer.from(text))

const status = (): Shot[] => [{ request: request('/status'), expect: { status: 200, needles: needles('{"status":"ok"}'), length: 15 } }]

const redirectTo = (code: string): Shot => ({ request: request(`/${code}`), expect: { status: 302, needles: needles(targetOf(code)), length: 0 } })

const redirect = (): Shot[] => draws(DRAWN, REDIRECTS).map(index => redirectTo(redirectCode(index)))

/** As many links as the service keeps in its cache. */
const CACHED = 50_000
export const cachedCodes = ({ links }: Shape): Shot[] => Array.from({ length: Math.min(links, CACHED) }, (_, index) => redirectTo(linkCode(index)))

const signed = (user: number, shape: Shape, secret: string) => ({ Authorization: `Bearer ${tokenOf(user, shape, secret)}` })

const read = (shape: Shape, secret: string): Shot[] => draws(DRAWN, shape.links).map((drawn, turn) => {
  const user = turn % shape.users
  const account = user % shape.accounts
  const below = atMost(drawn, account, shape.accounts)
  const index = below < 0 ? account : below
  const id = linkId(index).toHexString()
  return {
    request: request(`/v1/url/${id}`, signed(user, shape, secret)),
    expect: { status: 200, needles: needles('{"success":true', `"id":"${id}"`, accountId(account).toHexString(), linkCode(index)) }
  }
})

const listOf = (from: number, cursorOf: (first: number, shape: Shape) => string) => (shape: Shape, secret: string): Shot[] =>
  Array.from({ length: DRAWN }, (_, turn) => {
    const user = turn % shape.users
    const newest = newestLinks(user % shape.accounts, shape, from + PAGE)
    const ids = newest.slice(from).map(index => `"id":"${linkId(index).toHexString()}"`)
    return {
      request: request(`/v1/url?limit=${PAGE}${cursorOf(newest[from - 1] ?? 0, shape)}`, signed(user, shape, secret)),
      expect: { status: 200, needles: needles('{"success":true', ...ids) }
    }
  })

const list = listOf(0, () => '')
/** Costs the same however long the list is: a page counts, a cursor does not. */
export const listByCursor = listOf(PAGE, (last, shape) => `&cursor=${cursorAfter(linkRow(last, shape))}`)

export const workloads: Record<WorkloadName, Workload> = {
  W1: {
    name: 'W1',
    title: 'status',
    target: 0.95,
    toExpress: 2,
    shots: status,
    variants: [{ title: ', 2 connections', connections: 2 }, { title: ', 8 connections', connections: 8 }]
  },
  W2: { name: 'W2', title: 'redirect + click', target: 0.80, toExpress: 2, shots: redirect, variants: [] },
  W3: { name: 'W3', title: 'read by id', target: 0.80, toExpress: 2, shots: read, variants: [] },
  W4: { name: 'W4', title: `list of ${PAGE}`, target: 0.75, toExpress: 2, shots: list, variants: [{ title: ' by cursor', shots: listByCursor }] }
}
