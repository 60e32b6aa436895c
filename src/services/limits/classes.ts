/** The only list of rate classes (modules/_platform.md 10). `per` says whose calls are counted together. */
export type Per = 'account+principal' | 'account' | 'principal' | 'address'
export type RateClass = {
  per: Per
  max: number
  /** seconds */
  window: number
  /** exact over all processes, at the price of one Redis call; the others may pass up to 5 % more */
  exact?: boolean
}

const MINUTE = 60
const HOUR = 3_600

export const RATE_CLASSES = {
  read: { per: 'account+principal', max: 600, window: MINUTE },
  write: { per: 'account+principal', max: 300, window: MINUTE },
  heavy: { per: 'account+principal', max: 30, window: MINUTE },
  payment: { per: 'account', max: 60, window: MINUTE, exact: true },
  checkout: { per: 'account', max: 10, window: MINUTE, exact: true },
  send: { per: 'account', max: 60, window: MINUTE },
  'team-chat': { per: 'principal', max: 120, window: MINUTE },
  proxy: { per: 'principal', max: 120, window: MINUTE },
  key: { per: 'principal', max: 300, window: MINUTE },
  admin: { per: 'principal', max: 600, window: MINUTE },
  'admin-act': { per: 'principal', max: 30, window: HOUR, exact: true },
  service: { per: 'principal', max: 600, window: 1 },
  webhook: { per: 'address', max: 1_000, window: 1 },
  'public-read': { per: 'address', max: 120, window: MINUTE },
  'public-event': { per: 'address', max: 120, window: MINUTE },
  page: { per: 'address', max: 300, window: MINUTE },
  'public-form': { per: 'address', max: 10, window: MINUTE },
  'public-pay': { per: 'address', max: 10, window: MINUTE, exact: true },
  'form-view': { per: 'address', max: 60, window: MINUTE },
  'form-submit': { per: 'address', max: 20, window: MINUTE },
  'form-secret': { per: 'address', max: 5, window: MINUTE, exact: true },
  widget: { per: 'address', max: 30, window: MINUTE },
  'redirect-miss': { per: 'address', max: 300, window: MINUTE },
  'affiliate-click': { per: 'address', max: 120, window: MINUTE },
  report: { per: 'address', max: 5, window: HOUR },
  'auth-login': { per: 'address', max: 10, window: MINUTE, exact: true },
  'auth-login-hour': { per: 'address', max: 100, window: HOUR, exact: true },
  'auth-login-identifier': { per: 'address', max: 20, window: MINUTE, exact: true },
  'auth-mail-identifier': { per: 'address', max: 3, window: HOUR, exact: true },
  'auth-mail': { per: 'address', max: 20, window: HOUR, exact: true },
  'auth-code': { per: 'address', max: 30, window: HOUR, exact: true },
  'auth-refresh': { per: 'address', max: 60, window: MINUTE, exact: true },
  'auth-token': { per: 'address', max: 60, window: MINUTE, exact: true },
  anonymous: { per: 'address', max: 60, window: MINUTE },
  unknown: { per: 'address', max: 300, window: MINUTE }
} as const satisfies Record<string, RateClass>

export type RateClassName = keyof typeof RATE_CLASSES
