export {
  createGuardedFetch, type GuardedAnswer, type GuardedFetch, type GuardedFetchDeps, type GuardedLimits, type GuardedMethod, type GuardedOptions
} from './fetch.js'
export { isInnerName, isPublicAddress } from './addresses.js'
export { parseTarget, type Target, type TargetRules } from './target.js'
export { createDnsResolver, type Resolver } from './resolver.js'
export { TargetError } from './errors.js'
