/** Modules as the API's documentation shows them. */
export const TAGS: readonly (readonly [string, string])[] = [
  ['platform', 'Probes, health and feature flags.'],
  ['auth', 'Logging in, sessions and tokens.'],
  ['url', 'Branded short links with exact click counts.']
]
