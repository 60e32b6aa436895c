import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import ts from 'typescript'

const HERE = import.meta.dirname
export const BUILT = join(HERE, 'dist')

/** Strips the types of this folder into bench/dist, so that every measured process is plain `node file.js` like ours. */
export async function compile (): Promise<void> {
  await rm(BUILT, { recursive: true, force: true })
  const files = await readdir(HERE, { recursive: true })
  const sources = files.filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.startsWith('dist'))
  await Promise.all(sources.map(async file => {
    const { outputText } = ts.transpileModule(await readFile(join(HERE, file), 'utf8'), {
      fileName: file,
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
    })
    const out = join(BUILT, file.replace(/\.ts$/, '.js'))
    await mkdir(dirname(out), { recursive: true })
    await writeFile(out, outputText)
  }))
}
