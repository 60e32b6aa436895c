import type { Index } from '../catalog/types.js'
import type { IndexScan, Interval, PlanNode, TextMatch } from '../planner/index.js'
import { count, docOf, int } from '../values/build.js'
import { display } from '../values/format.js'
import { Doc } from '../values/types.js'
import type { Value } from '../values/types.js'
import type { Env, StageStats } from './env.js'
import { filterDoc } from './filter-doc.js'
import { scanRanges } from './scan-ranges.js'
import { SORT_MEMORY } from './sort.js'

/** A stage as explain prints it; with an execution also what it did. */
export function stageDoc (node: PlanNode, env: Env | undefined): Doc {
  const stats = env?.stats(node)
  const head = docOf({ stage: node.stage, ...(stats === undefined ? {} : figures(node, stats)) })
  for (const [key, value] of details(node, stats)) head.set(key, value)
  if ('children' in node) head.set('inputStages', node.children.map(child => stageDoc(child, env)))
  if ('child' in node) head.set('inputStage', stageDoc(node.child, env))
  return head
}

/** How often a stage was asked, by what it has looked at and given. */
const worksOf = ({ advanced, keysExamined, docsExamined }: StageStats): number => Math.max(advanced, keysExamined, docsExamined) + 1

export function runFigures (advanced: number, works: number): Record<string, Value> {
  return {
    nReturned: count(advanced),
    executionTimeMillisEstimate: int(0),
    works: count(works),
    advanced: count(advanced),
    needTime: count(Math.max(0, works - advanced - 1)),
    needYield: int(0),
    saveState: int(0),
    restoreState: int(0),
    isEOF: int(1)
  }
}

const figures = (_node: PlanNode, stats: StageStats): Record<string, Value> => runFigures(stats.advanced, worksOf(stats))

function details (node: PlanNode, stats: StageStats | undefined): Doc {
  switch (node.stage) {
    case 'EOF': return Doc.of()
    case 'COLLSCAN': return docOf({
      filter: node.filter === undefined ? undefined : filterDoc(node.filter),
      direction: directionName(node.direction),
      docsExamined: stats === undefined ? undefined : count(stats.docsExamined)
    })
    case 'IDHACK': return stats === undefined ? Doc.of() : docOf({ keysExamined: count(stats.keysExamined), docsExamined: count(stats.docsExamined) })
    case 'IXSCAN': return scanDetails(node, stats)
    case 'FETCH': return docOf({
      filter: node.filter === undefined ? undefined : filterDoc(node.filter),
      docsExamined: stats === undefined ? undefined : count(stats.docsExamined),
      alreadyHasObj: stats === undefined ? undefined : int(0)
    })
    case 'SORT': return docOf({
      sortPattern: node.pattern,
      memLimit: int(SORT_MEMORY),
      limitAmount: node.limit === undefined ? undefined : count(node.limit),
      type: 'simple',
      totalDataSizeSorted: stats === undefined ? undefined : count(stats.bytes),
      usedDisk: stats === undefined ? undefined : false,
      spills: stats === undefined ? undefined : int(0)
    })
    case 'SORT_MERGE': return docOf({
      sortPattern: node.pattern,
      dupsTested: stats === undefined ? undefined : count(stats.dupsTested),
      dupsDropped: stats === undefined ? undefined : count(stats.dupsDropped)
    })
    case 'OR': return stats === undefined ? Doc.of() : docOf({ dupsTested: count(stats.dupsTested), dupsDropped: count(stats.dupsDropped) })
    case 'TEXT_MATCH': return textDetails(node, stats)
  }
}

const directionName = (direction: 1 | -1): string => direction === 1 ? 'forward' : 'backward'

export function indexDetails (index: Index): Doc {
  const { flags } = index
  return docOf({
    keyPattern: index.key,
    indexName: index.name,
    collation: index.collation?.toDoc(),
    isMultiKey: flags.multikey !== 0,
    multiKeyPaths: Doc.of(index.fields.map((field, i) => [field.path, multikeyPaths(field.parts, flags.parts[i] ?? 0)])),
    isUnique: index.unique,
    isSparse: index.sparse,
    isPartial: index.partialFilter !== undefined,
    indexVersion: int(2)
  })
}

const multikeyPaths = (parts: readonly string[], arrays: number): string[] =>
  parts.flatMap((_, i) => (arrays >> Math.min(i, 30) & 1) === 1 ? [parts.slice(0, i + 1).join('.')] : [])

function scanDetails (node: IndexScan, stats: StageStats | undefined): Doc {
  const doc = indexDetails(node.index).set('direction', directionName(node.direction)).set('indexBounds', boundsDoc(node))
  if (stats === undefined) return doc
  return doc.set('keysExamined', count(stats.keysExamined)).set('seeks', count(stats.seeks))
    .set('dupsTested', count(stats.dupsTested)).set('dupsDropped', count(stats.dupsDropped))
}

/** The intervals in the order in which they are walked. */
function boundsDoc ({ index, bounds, direction, keyRange }: IndexScan): Doc {
  if (keyRange !== undefined) return docOf({ startKey: keyRange.min, endKey: keyRange.max })
  return Doc.of(index.fields.map((field, i) => {
    const forward = field.direction === direction
    const shown = bounds[i].map(interval => intervalText(interval, forward))
    return [field.path, forward ? shown : shown.reverse()]
  }))
}

function intervalText ({ low, lowInclusive, high, highInclusive }: Interval, forward: boolean): string {
  const [from, fromInclusive, to, toInclusive] = forward ? [low, lowInclusive, high, highInclusive] : [high, highInclusive, low, lowInclusive]
  return `${fromInclusive ? '[' : '('}${display(from)}, ${display(to)}${toInclusive ? ']' : ')'}`
}

function textDetails (node: TextMatch, stats: StageStats | undefined): Doc {
  return docOf({
    indexPrefix: Doc.of(node.index.text!.prefix.map((path, i) => [path, node.prefix[i]])),
    indexName: node.index.name,
    parsedTextQuery: filterDoc(node.node).get('$text'),
    textIndexVersion: int(3),
    keysExamined: stats === undefined ? undefined : count(stats.keysExamined),
    docsExamined: stats === undefined ? undefined : count(stats.docsExamined)
  })
}

/** Whether a scan is one range of keys, whose entries can be counted as they are. */
export function isCountScan (node: PlanNode): node is IndexScan {
  if (node.stage !== 'IXSCAN' || node.index.flags.multikey !== 0) return false
  const ranges = scanRanges(node)
  return ranges.areExact && ranges.ranges.length === 1
}
