/** A match: the bounds are UTF-16 positions; a group that took no part is undefined. */
export type RegexHit = {
  readonly start: number
  readonly end: number
  readonly groups: readonly (string | undefined)[]
}

export type CompiledRegex = {
  test (text: string): boolean
  exec (text: string, from?: number): RegexHit | undefined
}

/** What is wrong with a pattern, in PCRE's words; the caller makes it a MongoError with the code of its place (51091 in filters, 51111 in expressions). */
export class RegexSyntaxError extends Error {}

/**
 * A regular expression as MongoDB runs it (PCRE2, UTF, the options i m s x, and the legacy `u` that does nothing).
 * Matching is bounded: a catastrophic pattern ends in a MongoError, never in a hang. Patterns that this engine cannot run throw notSupported.
 */
export declare function compileRegex (pattern: string, options: string): CompiledRegex
