import { readFile, readdir, writeFile } from 'node:fs/promises'
import { variableRows } from '../src/config.js'
import { errorCodes } from '../src/services/kit.js'
// Importing the routes declares every module's error codes.
import '../src/routes/index.js'

/** Writes the generated pages (`write`), or compares them and the module pages with the code (`check`). */

const env = () => [
  '# Environment', '', 'Generated from `src/config.ts`; `.env.example` holds the same variables.', '',
  '| Variable | Type | Default | Meaning |', '|---|---|---|---|',
  ...variableRows().map(({ name, type, fallback, description }) => `| \`${name}\` | ${type} | ${fallback === '' ? '' : `\`${fallback}\``} | ${description} |`), ''
].join('\n')

const example = () => variableRows().map(({ name, fallback, description }) => `# ${description}\n${fallback === '' ? '# ' : ''}${name}=${fallback}\n`).join('\n')

const errors = () => [
  '# Errors', '', 'Generated from the error catalogues. `data.code` never changes; the message may.', '',
  '| Code | Status | Module | Message |', '|---|---|---|---|',
  ...[...errorCodes].sort(([a], [b]) => a < b ? -1 : 1).map(([code, { module, status, text }]) => `| \`${code}\` | ${status} | ${module} | ${text.replaceAll('|', '\\|')} |`), ''
].join('\n')

const PAGES: Record<string, () => string> = { 'docs/env.md': env, 'docs/errors.md': errors, '.env.example': example }

type Document = { tags: { name: string }[], paths: Record<string, Record<string, { operationId?: string, tags?: string[] }>> }

/** Every module has its page, and the page names every operation of the module. */
async function missingOperations (): Promise<string[]> {
  const document = JSON.parse(await readFile('openapi.json', 'utf8')) as Document
  const operations = Object.values(document.paths).flatMap(item => Object.values(item))
  const pages = new Set(await readdir('docs/modules'))
  const problems: string[] = []
  for (const { name } of document.tags) {
    if (!pages.has(`${name}.md`)) {
      problems.push(`docs/modules/${name}.md is missing`)
      continue
    }
    const page = await readFile(`docs/modules/${name}.md`, 'utf8')
    const ids = operations.filter(({ tags }) => tags?.includes(name)).map(({ operationId }) => operationId!)
    problems.push(...ids.filter(id => !page.includes(`\`${id}\``)).map(id => `docs/modules/${name}.md does not name \`${id}\``))
  }
  return problems
}

if (process.argv[2] === 'write') {
  for (const [file, make] of Object.entries(PAGES)) await writeFile(file, make())
  process.exit(0)
}
const problems: string[] = []
for (const [file, make] of Object.entries(PAGES)) {
  if (make() !== await readFile(file, 'utf8').catch(() => '')) problems.push(`${file} differs from the code: npm run docs`)
}
problems.push(...await missingOperations())
for (const problem of problems) process.stderr.write(`${problem}\n`)
process.exit(problems.length === 0 ? 0 : 1)
