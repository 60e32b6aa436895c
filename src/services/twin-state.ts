import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * What a twin must remember over a restart, as one JSON file. Reads work on `value`; after a change call `save`.
 * For one process: copies that share a folder overwrite each other.
 */
export function createTwinState<T extends object> (file: string, initial: () => T) {
  const value = read<T>(file) ?? initial()
  let writing: Promise<void> | null = null
  let dirty = false

  async function write () {
    await mkdir(dirname(file), { recursive: true })
    while (dirty) {
      dirty = false
      await writeFile(`${file}.new`, JSON.stringify(value))
      await rename(`${file}.new`, file)
    }
  }

  return {
    value,
    /** Resolves when the present state is on disk; calls at the same time share one write. */
    save (): Promise<void> {
      dirty = true
      writing ??= write().finally(() => { writing = null })
      return writing
    }
  }
}

export type TwinState<T extends object> = ReturnType<typeof createTwinState<T>>

function read<T> (file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`the twin's state ${file} cannot be read; delete it to start afresh`, { cause: error })
  }
}
