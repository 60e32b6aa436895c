import type { Measurement, Sample } from './measure.js'
import type { Estimate, Verdict } from './stats.js'
import type { Workload } from './workloads.js'

export interface Row {
  workload: string
  /** what sets it apart from the workload's main form; empty for that */
  variant: string
  cost: Record<string, Sample>
  toFloor: Estimate
  target: number
  toExpress: Estimate
  /** ratio to the floor of what was spent until the last answer, without the work that was left behind */
  burstToFloor: Estimate
  expressTarget: number
  verdict: Verdict
  expressVerdict: Verdict
  /** where a floor's or Express' answer departs from ours; any makes the comparison worthless */
  differences: string[]
  commands?: Record<string, number>
  voided: string[]
  rounds: Measurement['rounds']
}

export function rowOf (workload: Workload, variant: string, race: Measurement, differences: string[]): Row {
  return {
    workload: workload.name,
    variant,
    cost: Object.fromEntries(['floor', 'ours', 'express'].map(name => [name, race.median(name)])),
    toFloor: race.ratio('floor', 'ours'),
    target: workload.target,
    toExpress: race.ratio('express', 'ours'),
    burstToFloor: race.ratio('floor', 'ours', 'burstNs'),
    expressTarget: workload.toExpress,
    verdict: race.verdict({ over: 'floor', under: 'ours', target: workload.target }),
    expressVerdict: race.verdict({ over: 'express', under: 'ours', target: workload.toExpress }),
    differences,
    voided: race.voided,
    rounds: race.rounds
  }
}

const us = (ns: number) => `${(ns / 1_000).toFixed(1)} us`
const interval = ({ median, low, high }: Estimate) => `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`
const percent = (share: number) => `${Math.round(share * 100)} %`

const WIDTHS = [28, 11, 20, 8, 20, 8, 10, 6]
const line = (cells: string[]) => cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join(' ').trimEnd()

const GENERATOR_BOUND = 0.95
const BUSY = 0.9
/** Work after the last answer worth a line. */
const LEFT_BEHIND = 1.05

export function printHeader (): void {
  console.log(line(['', 'cost/req', 'ratio to floor', 'target', 'to Express', 'target', 'rate', 'busy', 'verdict']))
}

export function printRow (title: string, row: Row, trusted: boolean): void {
  const ours = row.cost.ours
  if (ours === undefined) return
  const outcome = row.verdict === 'pass' ? row.expressVerdict : row.verdict
  const verdict = row.differences.length > 0 ? 'not comparable' : claim(outcome, trusted)
  // a rate of a server that waited compares the waiting
  const rate = ours.busy >= BUSY ? `${Math.round(ours.rate)}/s` : `(${Math.round(ours.rate)}/s)`
  console.log(line([
    title, us(ours.costNs), interval(row.toFloor), row.target.toFixed(2), interval(row.toExpress), row.expressTarget.toFixed(2),
    rate, percent(ours.busy), verdict
  ]))
  for (const [name, sample] of Object.entries(row.cost)) {
    if (sample.generator > GENERATOR_BOUND) console.log(`    the generator was the bottleneck of ${name}: ${percent(sample.generator)} of a core`)
  }
  if (row.voided.length > 0) console.log(`    ${row.voided.length} void rounds, such as ${row.voided[0]}`)
  for (const difference of row.differences) console.log(`    ${difference}`)
  if (ours.costNs > ours.burstNs * LEFT_BEHIND) {
    console.log(`    of it until the last answer: ${us(ours.burstNs)}, ratio to floor ${interval(row.burstToFloor)}; the rest counts the clicks afterwards`)
  }
  const commands = Object.entries(row.commands ?? {}).map(([command, count]) => `${command} ${count.toFixed(2)}`)
  if (commands.length > 0) console.log(`    database commands per request: ${commands.join(', ')}`)
}

export function printBound (title: string, value: string, bound: string, holds: boolean, trusted = true): void {
  console.log(`${title.padEnd(58)} ${value.padEnd(26)} ${bound.padEnd(16)} ${claim(holds ? 'pass' : 'fail', trusted)}`)
}

const claim = (verdict: string, trusted: boolean) => trusted ? verdict : `(${verdict}) machine too noisy`
