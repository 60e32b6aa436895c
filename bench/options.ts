import { parseArgs } from 'node:util'

const PARTS = ['W1', 'W2', 'W3', 'W4', 'P1', 'P2', 'P3', 'P4', 'P5'] as const
type Part = typeof PARTS[number]

export interface Options {
  quick: boolean
  profile: boolean
  compare: boolean
  parts: ReadonlySet<Part>
}

const QUICK: readonly Part[] = ['W1', 'W2', 'W3', 'W4', 'P1', 'P2']
export const USAGE = 'npm run bench -- [--quick] [--only W2,P1] [--profile] [--compare]'

const isPart = (name: string): name is Part => (PARTS as readonly string[]).includes(name)

/** @throws on an unknown flag or part */
export function options (args = process.argv.slice(2)): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      compare: { type: 'boolean', default: false },
      only: { type: 'string' }
    }
  })
  const named = values.only?.split(',')
  const unknown = named?.find(name => !isPart(name))
  if (unknown !== undefined) throw new Error(`unknown part ${unknown}; known: ${PARTS.join(', ')}`)
  return { quick: values.quick, profile: values.profile, compare: values.compare, parts: new Set(named?.filter(isPart) ?? (values.quick ? QUICK : PARTS)) }
}
