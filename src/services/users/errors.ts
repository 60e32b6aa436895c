import { catalogue } from '../kit.js'

export const UserError = catalogue('users', {
  USER_NOT_FOUND: { status: 404, text: 'User not found.' },
  CONFIG_TYPE_UNKNOWN: { status: 404, text: 'There is no such type of configuration.' },
  SESSION_NOT_FOUND: { status: 404, text: 'Session not found.' },
  // The platform fixes the message of every duplicate.
  USER_EXISTS: { status: 409, text: 'Duplicate document.' },
  REASSIGN_REQUIRED: { status: 409, text: 'This person has open work: name who takes it over.' },
  OWNER_PROTECTED: { status: 409, text: 'The owner stays as he is until the ownership is transferred.' },
  NOT_INVITED: { status: 409, text: 'This person has no open invitation.' },
  USER_STATE_INVALID: { status: 409, text: 'The person\'s status does not allow this.' },
  SCOPE_ESCALATION: { status: 403, text: 'Nobody grants a role above the own one or a scope that he does not hold.' },
  SELF_CHANGE_FORBIDDEN: { status: 403, text: 'Nobody changes the own role, scopes or status.' },
  ADMIN_ONLY_CONFIG: { status: 403, text: 'Only administrators change this configuration.' },
  CONFIG_LOCKED: { status: 403, text: 'The account has fixed this configuration.' },
  PLAN_LIMIT_REACHED: { status: 403, text: (limit: number) => `This plan holds ${limit} users.` },
  REASSIGN_TARGET_INVALID: { status: 422, text: 'Work goes to another active person of the same account.' },
  UNKNOWN_SCOPE: { status: 422, text: (scope: string) => `${scope} is not a scope.` },
  MANDATORY_FIELD_HIDDEN: { status: 422, text: (field: string) => `${field} is mandatory and stays visible.` },
  AVAILABILITY_INVALID: { status: 422, text: (what: string) => `The availability is not valid: ${what}.` },
  CODE_INVALID: { status: 400, text: 'This code is not valid.' },
  TOO_MANY_ATTEMPTS: { status: 429, text: 'Too many attempts.' }
})
