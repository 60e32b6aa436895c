import { MongoError, notSupported } from '../values/errors.js'
import type { Nesting, StageParser } from './stage.js'
import { parseBucket } from './stages/bucket.js'
import { parseBucketAuto } from './stages/bucket-auto.js'
import { parseCount, parseSortByCount } from './stages/count.js'
import { parseDensify } from './stages/densify.js'
import { parseDocuments } from './stages/documents.js'
import { parseFacet } from './stages/facet.js'
import { parseFill } from './stages/fill.js'
import { parseGraphLookup } from './stages/graph-lookup.js'
import { parseGroup } from './stages/group.js'
import { parseLimit, parseSkip } from './stages/limit.js'
import { parseLookup } from './stages/lookup.js'
import { parseMatch } from './stages/match.js'
import { parseMerge } from './stages/merge.js'
import { parseOut } from './stages/out.js'
import { parseAddFields, parseProject, parseUnset } from './stages/project.js'
import { parseRedact } from './stages/redact.js'
import { parseReplaceRoot, parseReplaceWith } from './stages/replace-root.js'
import { parseSample } from './stages/sample.js'
import { parseSetWindowFields } from './stages/set-window-fields.js'
import { parseSort } from './stages/sort.js'
import { parseChangeStream, parseCollStats, parseIndexStats } from './stages/sources.js'
import { parseUnionWith } from './stages/union-with.js'
import { parseUnwind } from './stages/unwind.js'

export type StageEntry = {
  readonly parse: StageParser
  readonly position?: 'first' | 'last'
  readonly notIn?: readonly Nesting[]
  /** may follow `$changeStream` */
  readonly onEvents?: boolean
  /** runs without a collection: `{ aggregate: 1 }` */
  readonly withoutCollection?: 'allowed' | 'required'
}

const WRITES = { position: 'last', notIn: ['$facet', '$lookup', '$unionWith'] } as const
const STATISTICS = { position: 'first', notIn: ['$facet'] } as const

const STAGES: ReadonlyMap<string, StageEntry> = new Map<string, StageEntry>([
  ['$match', { parse: parseMatch, onEvents: true }],
  ['$project', { parse: parseProject, onEvents: true }],
  ['$addFields', { parse: parseAddFields, onEvents: true }],
  ['$set', { parse: parseAddFields, onEvents: true }],
  ['$unset', { parse: parseUnset, onEvents: true }],
  ['$replaceRoot', { parse: parseReplaceRoot, onEvents: true }],
  ['$replaceWith', { parse: parseReplaceWith, onEvents: true }],
  ['$redact', { parse: parseRedact, onEvents: true }],
  ['$group', { parse: parseGroup }],
  ['$sort', { parse: parseSort }],
  ['$limit', { parse: parseLimit }],
  ['$skip', { parse: parseSkip }],
  ['$unwind', { parse: parseUnwind }],
  ['$lookup', { parse: parseLookup }],
  ['$graphLookup', { parse: parseGraphLookup }],
  ['$unionWith', { parse: parseUnionWith }],
  ['$facet', { parse: parseFacet, notIn: ['$facet'] }],
  ['$count', { parse: parseCount }],
  ['$sortByCount', { parse: parseSortByCount }],
  ['$bucket', { parse: parseBucket }],
  ['$bucketAuto', { parse: parseBucketAuto }],
  ['$setWindowFields', { parse: parseSetWindowFields }],
  ['$densify', { parse: parseDensify }],
  ['$fill', { parse: parseFill }],
  ['$sample', { parse: parseSample }],
  ['$documents', { parse: parseDocuments, ...STATISTICS, withoutCollection: 'required' }],
  ['$collStats', { parse: parseCollStats, ...STATISTICS }],
  ['$indexStats', { parse: parseIndexStats, ...STATISTICS }],
  ['$changeStream', { parse: parseChangeStream, position: 'first', notIn: ['$facet', '$lookup', '$unionWith'], withoutCollection: 'allowed' }],
  ['$out', { parse: parseOut, ...WRITES }],
  ['$merge', { parse: parseMerge, ...WRITES }]
])

/** What MongoDB 7 can do besides. */
const REFUSED: ReadonlySet<string> = new Set([
  '$changeStreamSplitLargeEvent', '$currentOp', '$geoNear', '$listLocalSessions', '$listSampledQueries', '$listSearchIndexes', '$listSessions',
  '$planCacheStats', '$queryStats', '$search', '$searchMeta', '$shardedDataDistribution', '$vectorSearch'
])

export function stageEntry (name: string): StageEntry {
  const entry = STAGES.get(name)
  if (entry !== undefined) return entry
  if (REFUSED.has(name)) throw notSupported(`the stage ${name}`)
  throw new MongoError(40324, `Unrecognized pipeline stage name: '${name}'`)
}
