import { closeSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

type Owner = { readonly pid: number, readonly born: string }

/** Thrown when another living process owns the data folder. */
class FolderInUse extends Error {
  constructor (dir: string, readonly pid: number) {
    super(`the data folder ${dir} is in use by process ${pid}`)
  }
}

/** When a process started, so that a reused pid (1 in every container) is not taken for the old owner. Empty where the system does not tell. */
function bornAt (pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function isAlive ({ pid, born }: Owner): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = bornAt(pid)
  return now === '' || born === '' || now === born
}

function readOwner (file: string): Owner | undefined {
  try {
    const [pid = '', born = ''] = readFileSync(file, 'utf8').split(' ')
    return { pid: Number(pid), born }
  } catch {
    return undefined
  }
}

/** Makes this process the owner of a data folder until `release`. A dead owner's lock is taken over. */
export function lockFolder (dir: string): { release: () => void } {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const file = join(dir, 'engine.lock')
  const own: Owner = { pid: process.pid, born: bornAt(process.pid) }
  for (let attempt = 0; attempt < 10; attempt++) {
    if (create(file, own)) return { release: () => rmSync(file, { force: true }) }
    const owner = readOwner(file)
    if (owner === undefined) continue
    if (isAlive(owner)) throw new FolderInUse(dir, owner.pid)
    takeAway(file, owner)
  }
  throw new Error(`cannot lock the data folder ${dir}`)
}

function create (file: string, own: Owner): boolean {
  // linked into place only when it is whole, so that nobody reads half a lock
  const draft = `${file}.${own.pid}.${process.hrtime.bigint()}`
  const fd = openSync(draft, 'wx', 0o600)
  writeSync(fd, `${own.pid} ${own.born}`)
  closeSync(fd)
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Removes a dead owner's lock; when another start was faster, its new lock is put back. */
function takeAway (file: string, dead: Owner): void {
  const aside = `${file}.stale.${process.pid}.${process.hrtime.bigint()}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  const taken = readOwner(aside)
  if (taken !== undefined && (taken.pid !== dead.pid || taken.born !== dead.born)) {
    try {
      linkSync(aside, file)
    } catch { /* a third one holds it by now */ }
  }
  rmSync(aside, { force: true })
}
