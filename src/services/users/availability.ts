import type { UserRow } from '../../models/users.js'

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const formats = new Map<string, Intl.DateTimeFormat>()

/** True for an IANA time zone that this runtime knows. */
export function isTimeZone (zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

function formatOf (zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  formats.set(zone, made)
  return made
}

function localTime (now: Date, zone: string): { day: number, time: string } {
  const parts = Object.fromEntries(formatOf(zone).formatToParts(now).map(({ type, value }) => [type, value]))
  return { day: WEEKDAYS.indexOf(parts.weekday!), time: `${parts.hour}:${parts.minute}` }
}

export const isAbsent = (availability: UserRow['availability'], now: Date): boolean =>
  (availability?.absences ?? []).some(({ from, to }) => from <= now && now < to)

/** `off`: not an active person; `away`: absent or outside the hours; no days given means always there. */
export function availabilityState ({ status, availability, time_zone: own }: Pick<UserRow, 'status' | 'availability' | 'time_zone'>, now: Date): 'available' | 'away' | 'off' {
  if (status !== 'active') return 'off'
  if (isAbsent(availability, now)) return 'away'
  const days = availability?.days ?? []
  if (days.length === 0) return 'available'
  const { day, time } = localTime(now, availability?.time_zone ?? own ?? 'UTC')
  return days.some(slot => slot.day === day && slot.from <= time && time < slot.to) ? 'available' : 'away'
}
