import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { Clicks } from './clicks.js'
import { Generator } from './client.js'
import { BUILT, compile } from './compile.js'
import { databases, type Databases } from './database.js'
import type { Shape } from './dataset.js'
import { commandsPerRequest, driverAlone } from './context.js'
import { tail, type Tail } from './latency.js'
import { FULL, Measurement, QUICK, type Plan } from './measure.js'
import { exportMemory, FIRST_BYTE_MS, idleMemory, LOOP_P99_MS, STALL_MS, type Export } from './memory.js'
import { options, USAGE, type Options } from './options.js'
import { CORE, PINNED } from './process.js'
import { profile } from './profile.js'
import { printBound, printHeader, printRow, rowOf, type Row } from './report.js'
import { bytesPerLink, overRoutes, scaled, stage, type Scaled, type Stage } from './scale.js'
import { drop, seed } from './seed.js'
import { selfTest, type SelfTest } from './self-test.js'
import { OURS, startExpress, startFloor, startOurs, type Server, type World } from './servers.js'
import { startTimes } from './start.js'
import { differences } from './verify.js'
import { CONNECTIONS, WORKLOADS, workloads, type Workload, type WorkloadName } from './workloads.js'

const ROOT = join(import.meta.dirname, '..')
const PUBLISHED = join(import.meta.dirname, 'results.json')
const QUICK_RESULTS = join(BUILT, 'results.quick.json')
/** a change is a regression when its whole interval lies below this share of the published ratio */
const REGRESSION = 0.85
const MB = 1_048_576

interface Run {
  options: Options
  plan: Plan
  databases: Databases
  world: World
  generator: Generator
  shape: Shape
  results: Record<string, unknown>
  failures: string[]
}

const text = (file: string, args: string[]) => String(spawnSync(file, args, { cwd: ROOT }).stdout).trim()

async function machine (run: Run): Promise<object> {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version?: string }> }
  const version = (name: string) => manifest.packages[`node_modules/${name}`]?.version
  return {
    commit: text('git', ['rev-parse', '--short', 'HEAD']),
    changed: text('git', ['status', '--porcelain', '--', 'src']) !== '',
    at: new Date().toISOString(),
    node: process.version,
    cpu: os.cpus()[0]?.model,
    cores: os.cpus().length,
    pinned: PINNED,
    database: run.databases.mongoName,
    redis: run.world.redis !== undefined,
    versions: Object.fromEntries(['fastify', 'mongoose', 'express', 'joi', 'jsonwebtoken', 'ioredis'].map(name => [name, version(name)])),
    shape: run.shape,
    plan: run.plan
  }
}

// ---------------------------------------------------------------- W1-W4

async function measureWorkload (run: Run, name: WorkloadName, ours: Server, express: Server, trusted: boolean): Promise<Row[]> {
  const { world, shape, options } = run
  const workload = workloads[name]
  const floor = await startFloor(name, world)
  const servers = [floor, ours, express] as const
  try {
    const rows: Row[] = []
    for (const variant of [{ title: '' }, ...options.quick ? [] : workload.variants]) {
      const row = await measureVariant(run, workload, servers, variant, trusted).catch((error: Error) => printVoid(run, workload, variant.title, error))
      if (row !== undefined) rows.push(row)
    }
    if (options.parts.has('P5')) {
      const latency = await tail(world, floor, ours, workload.shots(shape, world.secret))
      printTail(name, latency, trusted)
      run.results[`P5 ${name}`] = latency
    }
    return rows
  } finally {
    await floor.stop()
  }
}

/** One workload that cannot be measured must not hide the others. */
function printVoid (run: Run, { name, title }: Workload, variant: string, error: Error): undefined {
  console.log(`${name} ${title}${variant}: void, ${error.message.slice(0, 300)}`)
  run.results[`${name}${variant} void`] = error.message
  run.failures.push(`${name} ${title}${variant} could not be measured`)
}

type Trio = readonly [floor: Server, ours: Server, express: Server]

async function measureVariant (run: Run, workload: Workload, [floor, ours, express]: Trio, variant: Workload['variants'][number], trusted: boolean): Promise<Row> {
  const { generator, plan, world, shape } = run
  const shots = (variant.shots ?? workload.shots)(shape, world.secret)
  const [shot] = shots
  const found = shot === undefined
    ? []
    : [...await differences(ours, floor, shot, true), ...await differences(ours, express, shot, false)]
  const clicks = workload.name === 'W2' ? await Clicks.open(world.mongo) : undefined
  const race = new Measurement(generator, {
    servers: [floor, ours, express],
    shots,
    connections: variant.connections ?? CONNECTIONS,
    ...(clicks !== undefined && { settle: clicks.settle, reset: clicks.reset })
  }, variant.title === '' ? plan : { ...plan, rounds: Math.ceil(plan.rounds / 4), mostRounds: plan.rounds })
  await race.open()
  await race.run(() =>
    race.verdict({ over: 'floor', under: 'ours', target: workload.target }) === 'undecided' ||
    race.verdict({ over: 'express', under: 'ours', target: workload.toExpress }) === 'undecided')
  await race.close()
  await clicks?.close()
  const row = rowOf(workload, variant.title, race, found)
  if (variant.connections === undefined && workload.name !== 'W1') row.commands = await commandsPerRequest(world, generator, shots)
  printRow(`${workload.name} ${workload.title}${variant.title}`, row, trusted)
  return row
}

function printTail (name: WorkloadName, { floor, ours, ratio, bound }: Tail, trusted: boolean): void {
  const ms = (value: number) => (value / 1_000).toFixed(2)
  printBound(`P5 ${name} p99 at ${Math.round(ours.rate)}/s: ours ${ms(ours.p99)} ms, floor ${ms(floor.p99)} ms`, `ratio ${ratio.toFixed(2)}`, `<= ${bound}`, ratio <= bound && floor.errors.length + ours.errors.length === 0, trusted)
  for (const error of [...floor.errors, ...ours.errors]) console.log(`    void: ${error}`)
  const loop = ours.loopP99Ms === undefined ? '' : `, event loop p99 ${ours.loopP99Ms.toFixed(1)} ms`
  console.log(`    ours p50 ${ms(ours.p50)}, p99.9 ${ms(ours.p999)}, max ${ms(ours.max)} ms${loop}; floor p50 ${ms(floor.p50)}, p99.9 ${ms(floor.p999)}, max ${ms(floor.max)} ms`)
}

async function workloadPart (run: Run): Promise<void> {
  const { world, shape, options, generator } = run
  const wanted = WORKLOADS.filter(name => options.parts.has(name) || (options.parts.has('P5') && ![...options.parts].some(part => part.startsWith('W'))))
  if (wanted.length === 0) return
  const test = await selfTest(generator, world, { ...run.plan, mostRounds: run.plan.rounds })
  printSelfTest(test)
  run.results['self-test'] = test
  // first ours, for it builds the indexes
  const ours = await startOurs(world)
  await seed(world.mongo, shape)
  const express = await startExpress(world)
  try {
    printHeader()
    const rows: Row[] = []
    for (const name of wanted) rows.push(...await measureWorkload(run, name, ours, express, test.trusted))
    run.results.workloads = rows
    if (wanted.includes('W3') || wanted.includes('W4')) run.results['driver alone'] = await driverAlone(world, shape)
    if (options.profile) await profiles(run, wanted)
    if (options.compare) await compare(run, rows)
  } finally {
    await ours.stop()
    await express.stop()
  }
}

function printSelfTest ({ same, added, trusted }: SelfTest): void {
  const figures = ({ median, low, high }: SelfTest['same']) => `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
  console.log(`self-test: floor against its copy ${figures(same)}, against a copy with 5 % more work ${figures(added)}`)
  if (!trusted) console.log('THE MACHINE IS TOO NOISY: 5 % cannot be told from nothing, so this run claims nothing.')
}

async function profiles (run: Run, names: WorkloadName[]): Promise<void> {
  for (const name of names) {
    const hottest = await profile(run.generator, run.world, name, workloads[name].shots(run.shape, run.world.secret))
    console.log(`\n${name}: self time, bench/profiles/${name}.cpuprofile\n${hottest.join('\n')}`)
  }
}

async function compare (run: Run, rows: Row[]): Promise<void> {
  if (!existsSync(PUBLISHED)) return console.log('nothing published yet to compare with')
  const published = (JSON.parse(await readFile(PUBLISHED, 'utf8')) as { workloads?: Row[] }).workloads ?? []
  for (const row of rows) {
    const before = published.find(other => other.workload === row.workload && other.variant === row.variant)
    if (before === undefined || row.toFloor.high >= before.toFloor.median * REGRESSION) continue
    run.failures.push(`${row.workload} fell from ${before.toFloor.median.toFixed(2)} to at most ${row.toFloor.high.toFixed(2)} of its floor`)
  }
}

// ---------------------------------------------------------------- P1-P4

async function startPart (run: Run): Promise<void> {
  const times = await startTimes(run.world.folder, run.options.quick ? 3 : 10)
  run.results.P1 = times
  const beside = `/v1/health after ${Math.round(times.medianHealth)} ms, CPU ${Math.round(times.medianCpu)} ms`
  printBound(`P1 start, ${times.status.length} spawns; ${beside}`, `${Math.round(times.median)} ms`, `<= ${times.bound} ms`, times.median <= times.bound)
}

async function idlePart (run: Run): Promise<void> {
  const idle = await idleMemory(run.world, run.options.quick ? 5_000 : 30_000, run.databases.engine?.pid)
  run.results.P2 = idle
  const engine = idle.engineBytes === undefined ? '' : `; engine process beside it ${Math.round(idle.engineBytes / MB)} MB`
  printBound(`P2 idle memory after ${idle.afterMs / 1_000} s${engine}`, `${(idle.bytes / MB).toFixed(1)} MB`, `<= ${idle.bound / MB} MB`, idle.bytes <= idle.bound)
}

const shapeOf = (accounts: number, links: number): Shape => ({ accounts, users: Math.max(1_000, accounts), links })

async function scalePart (run: Run): Promise<void> {
  const { world, databases, generator, options } = run
  const grow = async (sizes: number[], name: string, shape: (size: number) => Shape) => {
    const stages: Stage[] = []
    for (const size of sizes) stages.push(await stage(world, databases.mongo, `${name}_${size}`, shape(size)))
    return stages
  }
  const sizes = options.quick ? [1e3, 1e4, 2e4] : [1e3, 1e5, 1e6]
  const links = await grow(options.parts.has('P4') ? sizes : sizes.slice(-1), 'links', size => shapeOf(1, size))
  try {
    if (options.parts.has('P4')) await costPart(run, links)
    const largest = links.at(-1)
    if (options.parts.has('P3') && largest !== undefined) await exportPart(run, largest)
  } finally {
    for (const { server } of links) await server.stop()
  }
  if (!options.parts.has('P4')) return
  printScaled(run, await overRoutes(generator, world))
  const tenants = await grow(options.quick ? [10, 1e3] : [10, 1e3, 1e5], 'tenants', size => shapeOf(size, Math.max(1_000, size)))
  try {
    printScaled(run, await scaled(generator, 'tenants', ['W3'], tenants))
  } finally {
    for (const { server } of tenants) await server.stop()
  }
}

async function costPart (run: Run, stages: Stage[]): Promise<void> {
  printScaled(run, await scaled(run.generator, 'links', ['W2', 'W3', 'W4'], stages))
  const largest = stages.at(-1)
  if (largest === undefined) return
  const bytes = await bytesPerLink(run.generator, largest)
  run.results['bytes per cached link'] = bytes
  console.log(`    about ${Math.round(bytes)} bytes per cached link, collector's slack included`)
}

function printScaled (run: Run, results: Scaled[]): void {
  run.results[`P4 ${results[0]?.what}`] = results
  for (const { what, workload, costUs, spread, bound } of results) {
    const costs = Object.values(costUs).map(cost => cost.toFixed(1)).join(' / ')
    printBound(`P4 ${workload} over ${what}: ${costs} us`, `spread ${spread.toFixed(2)}`, `<= ${bound.toFixed(2)}`, spread <= bound)
  }
}

async function exportPart (run: Run, { server, shape, world }: Stage): Promise<void> {
  const full = await exportMemory(server, shape, world.secret)
  const stalled = await exportMemory(server, shape, world.secret, STALL_MS)
  run.results.P3 = { full, stalled }
  printExport('full speed', full, shape)
  printExport(`stalled ${STALL_MS / 1_000} s`, stalled, shape)
}

function printExport (title: string, result: Export, { links }: Shape): void {
  const mb = (bytes: number) => (bytes / MB).toFixed(0)
  printBound(`P3 export of ${result.rows} rows, ${title}, ${result.seconds.toFixed(0)} s`, `${mb(result.afterFirst)} -> ${mb(result.peak)} MB`, `<= ${mb(result.bound)} MB`,
    result.peak <= result.bound && result.rows >= links)
  printBound('    first byte', `${result.firstByteMs.toFixed(0)} ms`, `<= ${FIRST_BYTE_MS} ms`, result.firstByteMs <= FIRST_BYTE_MS)
  if (result.loopP99 !== undefined) printBound('    event loop p99', `${result.loopP99.toFixed(1)} ms`, `<= ${LOOP_P99_MS} ms`, result.loopP99 <= LOOP_P99_MS)
}

// ----------------------------------------------------------------

async function main (): Promise<number> {
  const chosen = options()
  if (!existsSync(OURS)) throw new Error('dist/server.js is missing: npm run build')
  // this process only waits and asks: it must not disturb the servers' core
  if (PINNED) spawnSync('taskset', ['-apc', String(CORE.other), String(process.pid)])
  await compile()
  const folder = join(ROOT, 'data', `bench-${process.pid}`)
  await mkdir(folder, { recursive: true })
  const served = await databases(folder)
  const run: Run = {
    options: chosen,
    plan: chosen.quick ? QUICK : FULL,
    databases: served,
    world: { folder, mongo: served.mongo(`bench_${process.pid}`), redis: served.redis, secret: `bench-${'0123456789abcdef'.repeat(2)}` },
    generator: new Generator(join(folder, 'generator.log')),
    shape: { accounts: 3, users: 1_000, links: chosen.quick ? 1_000 : 100_000 },
    results: {},
    failures: []
  }
  try {
    run.results.machine = await machine(run)
    console.log(`node ${process.version}, ${os.cpus()[0]?.model}, ${os.cpus().length} cores, ${PINNED ? 'pinned' : 'UNPINNED'}, ${served.mongoName}`)
    if (served.redis === undefined) console.log('no Redis on this machine: ours runs in development mode')
    if (chosen.parts.has('P1')) await startPart(run)
    if (chosen.parts.has('P2')) await idlePart(run)
    await workloadPart(run)
    if (chosen.parts.has('P3') || chosen.parts.has('P4')) await scalePart(run)
    const file = chosen.quick || chosen.parts.size < 9 ? QUICK_RESULTS : PUBLISHED
    await writeFile(file, `${JSON.stringify(run.results)}\n`)
    console.log(`\n${file.slice(ROOT.length + 1)} written${file === PUBLISHED ? '' : '; no claim rests on a partial or quick run'}`)
    for (const failure of run.failures) console.log(`FAILED: ${failure}`)
  } catch (error) {
    throw new Error(`${(error as Error).message}; the logs are in ${folder}`, { cause: error })
  } finally {
    await run.generator.stop()
    if (served.engine === undefined) await drop(run.world.mongo)
    await served.stop()
  }
  await rm(folder, { recursive: true, force: true })
  return run.failures.length > 0 ? 1 : 0
}

main().then(code => process.exit(code), (error: Error) => {
  console.error(error.message === '' ? error : `${error.message}\n${USAGE}`)
  process.exit(2)
})
