/** Modules as the API's documentation shows them. */
export const TAGS: readonly (readonly [string, string])[] = [
  ['platform', 'Probes, health and feature flags.'],
  ['accounts', 'Agencies and their clients: sign-up, invitations, plans, addresses, look and settings.'],
  ['auth', 'Logging in, sessions and tokens.'],
  ['oauth', 'Access for other apps and for programs: OAuth 2.0 and API keys.'],
  ['activities', 'Timeline, audit log and team figures.'],
  ['shared', 'Files, folders, background work, reference lists, rates and tags.'],
  ['users', 'The people of an account: profiles, roles, availability, devices.'],
  ['mobile-app', 'Releases and start screen of the mobile apps.'],
  ['url', 'Branded short links with exact click counts.']
]
