import { DateTime } from 'luxon'

/** Calendar slots: `minute`, `hour`, `day` (of the month) and `weekday` (1 = Monday) pin what they name; what is absent runs every time. */
export type Calendar = { minute?: number, hour?: number, day?: number, weekday?: number, everyHours?: number }

/** The latest slot at or before `now`, as its start in UTC. */
export function latestSlot (calendar: Calendar, zone: string, now: Date): Date {
  const { minute = 0, hour, day, weekday, everyHours } = calendar
  let slot = DateTime.fromJSDate(now, { zone }).set({ minute, second: 0, millisecond: 0 })
  if (everyHours !== undefined) {
    slot = slot.set({ hour: Math.floor(slot.hour / everyHours) * everyHours })
    return back(slot, now, { hours: everyHours })
  }
  if (hour === undefined) return back(slot, now, { hours: 1 })
  slot = slot.set({ hour })
  if (day !== undefined) return back(slot.set({ day }), now, { months: 1 })
  if (weekday !== undefined) return back(slot.set({ weekday: weekday as 1 }), now, { weeks: 1 })
  return back(slot, now, { days: 1 })
}

const back = (slot: DateTime, now: Date, step: object): Date => (slot.toJSDate() > now ? slot.minus(step) : slot).toJSDate()
