import { Type, type Static } from '@sinclair/typebox'
import {
  Change, Create, DateTime, Entity, Id, ListQuery, Nullable, Ok, Page, Part, READ_FAILS, Strict, StringEnum, WRITE_FAILS, fails, wire
} from './kit.js'
import { BulkResult, ExportFile, JobAccepted, bulkBody } from './standard.js'
import type { Operation } from './operation.js'

export const Role = StringEnum(['owner', 'admin', 'user', 'client'], { title: 'Role' })
export type Role = Static<typeof Role>
export const UserStatus = StringEnum(['invited', 'active', 'inactive', 'deleting', 'deleted'], { title: 'UserStatus' })
export const AvailabilityState = StringEnum(['available', 'away', 'off'], { title: 'AvailabilityState' })
export const CrmVisibility = StringEnum(['all', 'own'], { title: 'CrmVisibility' })

const Name = Type.String({ minLength: 1, maxLength: 80, pattern: '\\S', examples: ['Nora'] })
export const Email = Type.String({ format: 'email', maxLength: 254, examples: ['nora@harbour.test'] })
export const Phone = Type.String({ pattern: '^\\+[1-9][0-9]{6,14}$', maxLength: 20, examples: ['+14155550100'], description: 'E.164.' })
const ScopeList = Type.Array(Type.String({ minLength: 2, maxLength: 80, pattern: '^[a-z_]+(\\.[a-z_]+)*$', examples: ['crm.contacts'] }), { maxItems: 200 })
const TimeZone = Type.String({ maxLength: 64, examples: ['Europe/Rome'] })
const Clock = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', examples: ['09:00'] })

export const Preferences = Type.Object({
  crm_visibility: Nullable(CrmVisibility),
  theme: Nullable(StringEnum(['light', 'dark', 'system'])),
  start_page: Nullable(Type.String({ maxLength: 200, pattern: '^/' })),
  signature: Nullable(Type.String({ maxLength: 5_000 })),
  date_format: Nullable(StringEnum(['YYYY-MM-DD', 'DD/MM/YYYY', 'MM/DD/YYYY', 'DD.MM.YYYY'])),
  number_format: Nullable(StringEnum(['1,234.56', '1.234,56', '1 234,56'])),
  default_views: Nullable(Type.Record(Type.String(), Type.String({ maxLength: 100 }), { description: 'Saved view or filter per list.' }))
}, { title: 'UserPreferences', component: 'UserPreferences' })
export type Preferences = Static<typeof Preferences>

const Day = { day: Type.Integer({ minimum: 0, maximum: 6, description: '0 is Sunday.' }), from: Clock, to: Clock }
const Absence = { from: DateTime(), to: DateTime(), delegate: Type.Optional(Nullable(Id('_users'))) }
export const Availability = Type.Object({
  time_zone: Nullable(TimeZone), days: Type.Array(Type.Object(Day), { maxItems: 21 }), absences: Type.Array(Type.Object(Absence), { maxItems: 50 })
}, { title: 'Availability', component: 'Availability' })
export type Availability = Static<typeof Availability>

/** A person in one account; the same person in two accounts is two users. */
export const User = Entity('User', {
  id: Id('_users'),
  account_id: Id('_accounts'),
  first_name: Name,
  last_name: Name,
  name: Type.String({ examples: ['Nora Lind'] }),
  image: Nullable(Type.String({ maxLength: 2_048 })),
  job_title: Nullable(Type.String({ maxLength: 100 })),
  email: Nullable(Email),
  phone: Nullable(Phone),
  phone_verified_at: Nullable(DateTime()),
  role: Role,
  is_owner: Type.Boolean(),
  scopes: Nullable(ScopeList),
  status: UserStatus,
  invite: Nullable(Type.Object({ sent_at: DateTime(), expires_at: DateTime(), sent_count: Type.Integer(), by: Nullable(Id('_users')) })),
  password_changed_at: Nullable(DateTime()),
  mfa: Nullable(Type.Object({ totp_enabled: Type.Boolean(), enabled_at: Nullable(DateTime()) })),
  preferences: Nullable(Preferences),
  availability: Nullable(Availability),
  sso: Nullable(Type.Boolean({ description: 'May be entered by SSO from the main account.' })),
  time_zone: Nullable(TimeZone),
  locale: Nullable(Type.String({ maxLength: 35, pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$', examples: ['en-US'] })),
  announcements_read: Nullable(Type.Array(Id('_announcements'))),
  last_seen_at: Nullable(DateTime()),
  last_login_at: Nullable(DateTime()),
  deactivated_at: Nullable(DateTime()),
  deleted_at: Nullable(DateTime()),
  created_by: Nullable(Id('_users')),
  created_at: DateTime(),
  updated_at: DateTime()
})
export type User = Static<typeof User>
export const toUser = wire(User)

const state = { availability_state: AvailabilityState }
const SHORT = ['id', 'name', 'email', 'image', 'role', 'job_title', 'status'] as const
const LONG = [
  'account_id', 'first_name', 'last_name', 'phone', 'phone_verified_at', 'is_owner', 'scopes', 'invite', 'mfa', 'sso', 'time_zone', 'locale', 'last_seen_at', 'last_login_at',
  'deactivated_at', 'created_at', 'updated_at'
] as const

/** What an administrator sees of a person. */
export const TeamUser = Entity('TeamUser', {
  ...Part(User, ...SHORT, ...LONG).properties, ...state, preferences: Nullable(Type.Object({ crm_visibility: Nullable(CrmVisibility) }))
})
export type TeamUser = Static<typeof TeamUser>
/** What everybody sees of a colleague; administrators get the fields after `availability_state` as well. */
export const TeamMember = Entity('TeamMember', {
  ...Part(User, ...SHORT).properties, ...state, ...Type.Partial(Type.Omit(TeamUser, [...SHORT, 'availability_state'])).properties
})
export const toTeamUser = wire(TeamUser)
export const toShort = wire(Type.Object({ ...Part(User, ...SHORT).properties, ...state }))

// ---------------------------------------------------------------- the team

export const UserParams = Strict({ id: Id('_users') })
const filters = {
  account_id: Type.Optional(Id('_accounts')),
  role: Type.Optional(Role),
  status: Type.Optional(UserStatus),
  is_owner: Type.Optional(Type.Boolean()),
  available: Type.Optional(Type.Boolean({ description: 'Available now by hours and absences.' }))
}
const Query = ListQuery({ sort: ['name', 'created_at', 'last_seen_at', 'role'], filters })
export type UserQuery = Static<typeof Query>

export const listUsers = {
  operationId: 'listUsers', tags: ['users'], summary: 'List the team', querystring: Query, response: { 200: Page(TeamMember), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const searchUsers = {
  operationId: 'searchUsers',
  tags: ['users'],
  summary: 'Search the team by name and e-mail, for administrators also by phone',
  querystring: Query,
  response: { 200: Page(TeamMember), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const exportUsers = {
  operationId: 'exportUsers',
  tags: ['users'],
  summary: 'Export the team as CSV or JSON',
  querystring: Strict({ ...filters, q: Query.properties.q, sort: Query.properties.sort, format: Type.Optional(StringEnum(['csv', 'json'])) }),
  response: { 200: ExportFile, ...fails(...READ_FAILS) }
} as const satisfies Operation

export const getUser = {
  operationId: 'getUser',
  tags: ['users'],
  summary: 'Read a person of the team',
  params: UserParams,
  querystring: Strict({ account_id: filters.account_id }),
  response: { 200: Ok(TeamMember), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const NewUser = Create(User, ['first_name', 'last_name'], ['phone', 'role', 'scopes', 'job_title'], {
  email: Email, crm_visibility: Type.Optional(Nullable(CrmVisibility)), send_invite: Type.Optional(Type.Boolean({ description: 'Default true.' }))
})
export type NewUser = Static<typeof NewUser>
const Invited = Type.Object({ ...TeamUser.properties, invite_link: Nullable(Type.String({ description: 'Where the password is set; shown once.' })) }, { title: 'InvitedUser', component: 'InvitedUser' })

export const createUser = {
  operationId: 'createUser', tags: ['users'], summary: 'Invite a person into the team', body: NewUser, response: { 201: Ok(Invited), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const Fields = ['first_name', 'last_name', 'image', 'job_title', 'time_zone', 'locale', 'phone'] as const
export const UserChange = Strict({
  ...Change(User, ...Fields).properties,
  email: Type.Optional(Email),
  preferences: Type.Optional(Strict({ crm_visibility: Nullable(CrmVisibility) }))
}, { minProperties: 1 })
export type UserChange = Static<typeof UserChange>

export const updateUser = {
  operationId: 'updateUser',
  tags: ['users'],
  summary: 'Change a person of the team',
  params: UserParams,
  body: UserChange,
  response: { 200: Ok(TeamUser), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const UserDeleted = Type.Object({ id: Id('_users'), status: UserStatus, job_id: Nullable(Id('queues')), status_url: Nullable(Type.String()) })
export const deleteUser = {
  operationId: 'deleteUser',
  tags: ['users'],
  summary: 'Remove a person; open work is handed over first',
  params: UserParams,
  querystring: Strict({ reassign_to: Type.Optional(Id('_users')) }),
  response: { 200: Ok(UserDeleted), 202: Ok(UserDeleted), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const bulkUsers = {
  operationId: 'bulkUsers',
  tags: ['users'],
  summary: 'Invite, change, upsert (by e-mail) or remove up to 100 people',
  body: bulkBody({ create: NewUser, update: Strict({ id: Id('_users'), ...UserChange.properties }), upsert: NewUser }, 100),
  response: { 200: Ok(BulkResult), 207: Ok(BulkResult), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const resendUserInvite = {
  operationId: 'resendUserInvite',
  tags: ['users'],
  summary: 'Make a new invite; the link before it dies',
  params: UserParams,
  body: Strict({ send_email: Type.Optional(Type.Boolean({ description: 'Default true.' })) }),
  response: { 200: Ok(Invited), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const setUserStatus = {
  operationId: 'setUserStatus',
  tags: ['users'],
  summary: 'Activate or deactivate a person',
  params: UserParams,
  body: Strict({ status: StringEnum(['active', 'inactive']) }),
  response: { 200: Ok(TeamUser), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const ScopesChange = Change(User, 'role', 'scopes')
export type ScopesChange = Static<typeof ScopesChange>
export const setUserScopes = {
  operationId: 'setUserScopes',
  tags: ['users'],
  summary: 'Set role and scopes; scopes null are the role\'s own',
  params: UserParams,
  body: ScopesChange,
  response: { 200: Ok(TeamUser), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const Workload = Type.Record(Type.String(), Type.Integer(), { description: 'Open work per kind.' })
export const getUserWorkload = {
  operationId: 'getUserWorkload',
  tags: ['users'],
  summary: 'Count a person\'s open work',
  params: UserParams,
  response: { 200: Ok(Type.Object({ workload: Workload, total: Type.Integer() })), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const reassignUser = {
  operationId: 'reassignUser',
  tags: ['users'],
  summary: 'Hand a person\'s work over without removing the person',
  params: UserParams,
  body: Strict({ reassign_to: Id('_users'), kinds: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 50 }), { minItems: 1, maxItems: 30 })) }),
  response: { 202: Ok(JobAccepted), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const transferOwnership = {
  operationId: 'transferOwnership',
  tags: ['users'],
  summary: 'Make another person the owner; both sign in again',
  body: Strict({ user_id: Id('_users') }),
  response: { 200: Ok(TeamUser), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const AvailabilityNow = Type.Object({ ...Availability.properties, availability_state: AvailabilityState }, { title: 'AvailabilityNow', component: 'AvailabilityNow' })
export const toAvailability = wire(AvailabilityNow)
export const getAvailability = {
  operationId: 'getAvailability', tags: ['users'], summary: 'Read hours and absences', params: UserParams, response: { 200: Ok(AvailabilityNow), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const NewAvailability = Strict({
  time_zone: Type.Optional(Nullable(TimeZone)),
  days: Type.Optional(Type.Array(Strict(Day), { maxItems: 21 })),
  absences: Type.Optional(Type.Array(Strict(Absence), { maxItems: 50 }))
}, { minProperties: 1 })
export type NewAvailability = Static<typeof NewAvailability>
export const setAvailability = {
  operationId: 'setAvailability',
  tags: ['users'],
  summary: 'Set hours and absences; the own ones, or as an administrator anybody\'s',
  params: UserParams,
  body: NewAvailability,
  response: { 200: Ok(AvailabilityNow), ...fails(...WRITE_FAILS) }
} as const satisfies Operation

const UserSession = Entity('UserSession', {
  id: Id('_api.sessions'),
  kind: StringEnum(['login', 'sso', 'impersonation', 'oauth']),
  device: Type.Object({ name: Nullable(Type.String()), platform: Nullable(Type.String()), user_agent: Nullable(Type.String()) }),
  last_seen_at: DateTime(),
  expires_at: DateTime(),
  created_at: DateTime()
}, 'A live session of a person of the team.')
export const toUserSession = wire(UserSession)
const Ended = Ok(Type.Object({ ended: Type.Integer() }))

export const listUserSessions = {
  operationId: 'listUserSessions', tags: ['users'], summary: 'Where a person is signed in', params: UserParams, response: { 200: Ok(Type.Array(UserSession)), ...fails(...READ_FAILS) }
} as const satisfies Operation

export const endUserSessions = {
  operationId: 'endUserSessions', tags: ['users'], summary: 'Sign a person out everywhere', params: UserParams, response: { 200: Ended, ...fails(...WRITE_FAILS) }
} as const satisfies Operation

export const endUserSession = {
  operationId: 'endUserSession',
  tags: ['users'],
  summary: 'End one session of a person',
  params: Strict({ id: Id('_users'), session_id: Id('_api.sessions') }),
  response: { 200: Ended, ...fails(...WRITE_FAILS) }
} as const satisfies Operation
