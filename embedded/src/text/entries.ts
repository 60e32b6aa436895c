import type { TextSpec } from '../catalog/types.js'
import type { Doc } from '../values/types.js'
import { textFields } from './fields.js'
import type { TextField } from './fields.js'
import { tokens } from './tokenizer.js'

/** The terms of a document with the score that each gives it, by MongoDB's formula. */
export function textTermsOf (spec: TextSpec, doc: Doc): ReadonlyMap<string, number> {
  const scores = new Map<string, number>()
  for (const field of textFields(spec, doc)) addScores(scores, field)
  return scores
}

type Tally = { count: number, frequency: number, share: number }

function addScores (scores: Map<string, number>, { text, weight, language }: TextField): void {
  const terms = tokens(text, language)
  const tallies = new Map<string, Tally>()
  for (const term of terms) {
    const tally = tallies.get(term) ?? { count: 0, frequency: 0, share: 2 }
    // every further occurrence counts half of the one before
    tally.share /= 2
    tally.count++
    tally.frequency += tally.share
    tallies.set(term, tally)
  }
  for (const [term, { count, frequency }] of tallies) {
    const coefficient = 0.5 * count / terms.length + 0.5
    const isWhole = text.length === term.length && text.toLowerCase() === term.toLowerCase()
    scores.set(term, (scores.get(term) ?? 0) + weight * frequency * coefficient * (isWhole ? 1.1 : 1))
  }
}
