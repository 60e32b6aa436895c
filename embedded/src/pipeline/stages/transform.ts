import type { DocMeta, Vars } from '../../expressions/context.js'
import type { Doc } from '../../values/types.js'
import type { Metas, Stage } from '../stage.js'

type Description = Omit<Stage, 'run'>

/** A stage that makes one document of one. */
export function transforming (stage: Description, metas: Metas, transform: (doc: Doc, vars: Vars, meta: DocMeta | undefined) => Doc): Stage {
  return {
    ...stage,
    * run (source, vars) {
      for (const doc of source) yield metas.carry(doc, transform(doc, vars, metas.get(doc)))
    }
  }
}
