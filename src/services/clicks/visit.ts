import { UAParser } from 'my-ua-parser'
import { LRUCache } from 'lru-cache'
import type { ClickRecord } from './record.js'

/** What a click tells once it is read: done by the writer, never by the redirect. */
export type Visit = {
  bot: boolean, device: string, browser: string, os: string, referrer: string, language: string, country: string,
  utm: { source: string | null, medium: string | null, campaign: string | null } | null, qr: boolean
}

/** Declared crawlers, link previews and monitors. */
const BOT = /bot\b|bot[/;]|crawl|spider|slurp|preview|facebookexternalhit|facebot|whatsapp|telegram|skypeuripreview|slackbot|discord|embedly|pinterest|vkshare|headless|monitor|pingdom|uptime|statuscake|lighthouse|curl\/|wget\/|python-|java\/|go-http|okhttp|axios\/|node-fetch|undici|libwww|httpclient|scrapy|phantom/i

type Agent = Pick<Visit, 'bot' | 'device' | 'browser' | 'os'>
/** The same few thousand user agents make nearly all clicks. */
const agents = new LRUCache<string, Agent>({ max: 5_000 })

function readAgent (userAgent: string): Agent {
  const known = agents.get(userAgent)
  if (known !== undefined) return known
  const { browser, os, device } = new UAParser(userAgent).getResult()
  const agent = {
    bot: userAgent === '' || BOT.test(userAgent),
    device: device.type ?? 'desktop',
    browser: browser.name ?? 'unknown',
    os: os.name ?? 'unknown'
  }
  agents.set(userAgent, agent)
  return agent
}

const hostOf = (referrer: string): string => referrer !== '' && URL.canParse(referrer) ? new URL(referrer).hostname || 'direct' : 'direct'
const languageOf = (header: string): string => /^[a-z]{2,3}/i.exec(header)?.[0].toLowerCase() ?? 'unknown'
const short = (text: string | null): string | null => text === null || text === '' ? null : text.slice(0, 100)

export function readVisit (record: ClickRecord): Visit {
  const agent = readAgent(record.userAgent)
  const query = record.query === '' ? null : new URLSearchParams(record.query)
  const utm = query === null
    ? null
    : { source: short(query.get('utm_source')), medium: short(query.get('utm_medium')), campaign: short(query.get('utm_campaign')) }
  return {
    ...agent,
    bot: agent.bot || record.prefetch,
    referrer: hostOf(record.referrer).slice(0, 100),
    language: languageOf(record.language),
    country: /^[A-Z]{2}$/.test(record.country) ? record.country : 'unknown',
    utm: utm !== null && (utm.source !== null || utm.medium !== null || utm.campaign !== null) ? utm : null,
    qr: query?.has('qr') ?? false
  }
}
