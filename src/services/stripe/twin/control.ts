import type { Twin, TwinFault } from '../../twin.js'
import type { TwinState } from '../../twin-state.js'
import type { Store, StoredState } from './core.js'
import type { Reply } from './server.js'

type Deps = { store: Store, state: TwinState<StoredState>, twin: Twin & { advance (seconds: number): void }, resend (id: string): boolean }

/** Ways to fail by the names of the twin's page. */
const MODES: Readonly<Record<string, Omit<TwinFault, 'count' | 'match'>>> = {
  error: { mode: 'status', status: 500 },
  rate_limit: { mode: 'status', status: 429, retryAfter: 2 },
  timeout_before: { mode: 'timeout' },
  timeout_after: { mode: 'timeout', after: true },
  reset: { mode: 'unreachable' },
  duplicate: { mode: 'duplicate' },
  drop: { mode: 'drop' }
}

const ok = (body: unknown): Reply => ({ status: 200, body })
const wrong = (message: string): Reply => ({ status: 400, body: { error: message } })

/** The twin's own doors: what it holds, its time, its failures. */
export async function control (deps: Deps, method: string, url: URL, body: string): Promise<Reply> {
  const [, , act = '', id = '', verb = ''] = url.pathname.split('/')
  if (method === 'GET') return await look(deps, act, id)
  const params = read(body)
  if (params === null) return wrong('the body is not JSON')
  if (act === 'events' && verb === 'resend') return deps.resend(id) ? ok({ resent: id }) : { status: 404, body: { error: 'no such event' } }
  if (act === 'clock') {
    if (typeof params.advance !== 'number') return wrong('advance: seconds')
    deps.twin.advance(params.advance)
    await deps.state.save()
    return ok({ now: deps.store.now() })
  }
  if (act === 'fail') {
    const mode = MODES[String(params.mode)]
    if (mode === undefined) return wrong(`mode: ${Object.keys(MODES).join(', ')}`)
    deps.twin.fault({ ...mode, count: Number(params.times ?? 1), match: typeof params.match === 'string' ? params.match : undefined })
    return ok({ faults: deps.twin.faults() })
  }
  if (act !== 'reset') return { status: 501, body: { error: `the twin has no control ${act}` } }
  Object.assign(deps.state.value, { objects: {}, idempotency: {}, ahead: 0 })
  deps.twin.clearFaults()
  await deps.state.save()
  return ok({ reset: true })
}

async function look ({ state, twin }: Deps, act: string, id: string): Promise<Reply> {
  const ofType = (type: string) => Object.entries(state.value.objects).filter(([name]) => name.endsWith(`/${type}`)).flatMap(([, list]) => list)
  if (act === 'objects') return ok(ofType(id))
  if (act === 'events') return ok(ofType('event'))
  if (act === 'deliveries') return ok((await twin.entries({ kind: 'hook' })).map(entry => entry.data))
  return { status: 404, body: { error: `the twin has no ${act}` } }
}

function read (body: string): Record<string, unknown> | null {
  try {
    return JSON.parse(body === '' ? '{}' : body) as Record<string, unknown>
  } catch {
    return null
  }
}
