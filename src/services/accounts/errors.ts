import { catalogue } from '../kit.js'

export const AccountError = catalogue('accounts', {
  ACCOUNT_NOT_FOUND: { status: 404, text: 'Account not found.' },
  REQUEST_NOT_FOUND: { status: 404, text: 'Request not found.' },
  CODE_INVALID: { status: 400, text: 'This code is not valid.' },
  LINK_INVALID: { status: 400, text: 'This link is not valid any more.' },
  BUSINESS_HAS_ACCOUNT: { status: 409, text: 'This business has an account already.' },
  USER_EXISTS: { status: 409, text: 'There is a user with this mail address already.' },
  INVITE_NOT_PENDING: { status: 409, text: 'There is no open invite.' },
  ALREADY_DECIDED: { status: 409, text: 'This request has been decided.' },
  ACCOUNT_HAS_ACTIVE_SUBSCRIPTIONS: { status: 409, text: 'The account has running subscriptions.' },
  ACCOUNT_STATE_INVALID: { status: 409, text: 'The state of the account does not allow this.' },
  LABEL_TAKEN: { status: 409, text: 'This address is in use.' },
  LABEL_RESERVED: { status: 422, text: 'This address is reserved, or not 3 to 40 of a-z, 0-9 and -.' },
  TERMS_NOT_ACCEPTED: { status: 422, text: 'The terms must be accepted.' },
  PLAN_REQUIRED: { status: 403, text: 'Your plan does not include this.' },
  PLAN_LIMIT_REACHED: { status: 403, text: 'Your plan does not hold more.' },
  INVITE_TOO_SOON: { status: 429, text: 'An invite was sent a moment ago.' },
  TOO_MANY_ATTEMPTS: { status: 429, text: 'That was too often.' }
})
