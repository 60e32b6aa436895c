export { compilePipeline } from './compile.js'
export type { MergeUpdate, Pipeline, PipelineContext, PipelineWrites, Prefix } from './types.js'
