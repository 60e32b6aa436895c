import { Type, type Static } from '@sinclair/typebox'
import { DateTime, Entity, Id, Nullable, StringEnum } from './kit.js'

export const Role = StringEnum(['owner', 'admin', 'user', 'client'], { title: 'Role' })
export const UserStatus = StringEnum(['invited', 'active', 'inactive', 'deleting', 'deleted'], { title: 'UserStatus' })

/** A person in one account; the same person in two accounts is two users. */
export const User = Entity('User', {
  id: Id('_users'),
  account_id: Id('_accounts'),
  first_name: Type.String({ minLength: 1, maxLength: 80, examples: ['Nora'] }),
  last_name: Type.String({ minLength: 1, maxLength: 80, examples: ['Lind'] }),
  name: Type.String({ examples: ['Nora Lind'] }),
  image: Nullable(Type.String({ maxLength: 2_048 })),
  job_title: Nullable(Type.String({ maxLength: 100 })),
  email: Nullable(Type.String({ maxLength: 254 })),
  phone: Nullable(Type.String({ maxLength: 20 })),
  role: Role,
  is_owner: Type.Boolean(),
  scopes: Nullable(Type.Array(Type.String())),
  status: UserStatus,
  time_zone: Nullable(Type.String()),
  locale: Nullable(Type.String()),
  last_login_at: Nullable(DateTime()),
  created_at: DateTime(),
  updated_at: DateTime()
})
export type User = Static<typeof User>
