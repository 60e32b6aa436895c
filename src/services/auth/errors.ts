import { catalogue } from '../kit.js'

/** Refusals at the door (every non-public route) and of the login. */
export const AuthError = catalogue('auth', {
  UNAUTHENTICATED: { status: 401, text: 'You are not signed in.' },
  TOKEN_INVALID: { status: 401, text: 'The access token is not valid.' },
  TOKEN_EXPIRED: { status: 401, text: 'The access token has expired.' },
  SESSION_REVOKED: { status: 401, text: 'This session has ended.' },
  SESSION_EXPIRED: { status: 401, text: 'This session has expired.' },
  USER_INACTIVE: { status: 403, text: 'This user is not active.' },
  UNAUTHORIZED_ACCOUNT: { status: 403, text: 'This account may not use the platform.' },
  ACCOUNT_ARCHIVED: { status: 403, text: 'This account is archived.' },
  ACCOUNT_SUSPENDED: { status: 403, text: 'This account is suspended.' },
  ACCOUNT_PENDING: { status: 403, text: 'This account has not been activated yet.' },
  ACCOUNT_ORPHANED: { status: 403, text: 'The account above this one is not active.' },
  ACCOUNT_REQUIRED: { status: 403, text: 'This route needs an account.' },
  PERMISSION_DENIED: { status: 403, text: 'You may not do this.' },
  SCOPE_REQUIRED: { status: 403, text: 'Your scopes do not cover this.' },
  MAIN_ACCOUNT_ONLY: { status: 403, text: 'Only main accounts can do this.' },
  INVALID_CREDENTIALS: { status: 400, text: 'Invalid login credentials provided' },
  LOGIN_BUSY: { status: 503, text: 'Too many logins at once, try again shortly.' }
})
