import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder for this process alone: files that others make beside it would be taken for leaks. */
const own = mkdtempSync(join(tmpdir(), 'own-'))
process.env.TMPDIR = own
process.once('exit', () => rmSync(own, { recursive: true, force: true }))
