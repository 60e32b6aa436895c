import { answer, JSON_TYPE, newRequestId, serve } from './kit.js'

const BODY = '{"status":"ok"}'
/** The self-test's copy does this much more per request, in nanoseconds. */
const EXTRA_NS = Number(process.env.EXTRA_NS ?? 0)
const CALIBRATION = 5_000_000

let sink = 0
function spin (turns: number): void {
  for (let turn = 0; turn < turns; turn++) sink = (sink * 31 + turn) | 0
}

function turnsFor (ns: number): number {
  if (ns === 0) return 0
  spin(CALIBRATION)
  const began = process.hrtime.bigint()
  spin(CALIBRATION)
  return Math.round(ns * CALIBRATION / Number(process.hrtime.bigint() - began))
}

const extra = turnsFor(EXTRA_NS)

serve((request, response) => {
  spin(extra)
  if (request.url === '/status') answer(response, 200, newRequestId(), JSON_TYPE, BODY)
  else answer(response, 404, newRequestId(), JSON_TYPE, '{}')
})
