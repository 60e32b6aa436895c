export { compilePipeline } from './compile.js'
export type { FoundDocuments, MergeUpdate, Namespace, Pipeline, PipelineContext, PipelineWrites, Prefix } from './types.js'
