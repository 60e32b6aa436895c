import type { Doc } from '../values/types.js'
import type { Pipeline, PipelineContext } from './types.js'

export type { MergeUpdate, Namespace, Pipeline, PipelineContext, PipelineWrites, Prefix } from './types.js'

/** @throws MongoError on anything that MongoDB refuses before it runs the pipeline */
export declare function compilePipeline (stages: readonly Doc[], context: PipelineContext): Pipeline
