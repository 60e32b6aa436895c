import type { Doc } from './types.js'

export declare class Collation {
  static parse (spec: Doc): Collation | undefined
  compare (a: string, b: string): number
  key (text: string): Buffer
  equals (other: Collation | undefined): boolean
  toDoc (): Doc
}
