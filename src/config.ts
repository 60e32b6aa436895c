import { Type, type Static, type TSchema } from '@sinclair/typebox'
import envSchema from 'env-schema'

/**
 * Every environment variable, once: type, default, bounds, one sentence. docs/env.md is generated from it.
 * An empty value counts as unset.
 */
const text = (description: string, options: object = {}) => Type.Optional(Type.String({ description, ...options }))
const textOr = (value: string, description: string, options: object = {}) => Type.String({ default: value, description, ...options })
const number = (value: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: value, minimum, maximum, description })
const flag = (value: boolean, description: string) => Type.Boolean({ default: value, description })
const choice = <const T extends readonly string[]> (values: T, value: T[number], description: string) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values], default: value, description })
const family = (description: string) => choice(['on', 'off', 'remote', 'true', 'false'], 'on', description)

export const Environment = Type.Object({
  // the process
  NODE_ENV: choice(['development', 'test', 'production'], 'development', 'Production refuses to start without its required variables and never uses a twin.'),
  HOST: textOr('0.0.0.0', 'Address to listen on.'),
  PORT: number(5002, 0, 65_535, 'Port to listen on.'),
  METRICS_PORT: number(0, 0, 65_535, 'Port of the Prometheus metrics; 0 turns them off.'),
  LOG_LEVEL: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info', 'Least level that is logged.'),
  PROCESS_ROLE: choice(['all', 'web', 'worker'], 'all', 'web serves HTTP, worker runs jobs, all does both.'),
  TRUST_PROXY_HOPS: number(0, 0, 10, 'How many proxies stand in front; decides which X-Forwarded-For entry is the caller.'),
  DRAIN_MS: number(5_000, 0, 20_000, 'How long the service goes on serving after SIGTERM while readiness already fails.'),
  DATA_DIR: textOr('./data', 'Folder of the embedded database, the twins, local files and the click journal.'),
  DOCS_ENABLED: flag(true, 'Serve the API documentation.'),
  PUBLIC_URL: text('Address under which people reach this service; default http://localhost:PORT.', { format: 'uri' }),
  DEMO_SEED: flag(true, 'Outside production, on an empty database: create the demo agency and print its login.'),
  BODY_LIMIT: number(1_048_576, 1_024, 33_554_432, 'Largest JSON body in bytes.'),
  REQUEST_TIMEOUT_MS: number(30_000, 1_000, 300_000, 'A request whose body has not arrived by then is cut.'),
  MAX_EVENT_LOOP_DELAY_MS: number(1_000, 50, 60_000, 'Above this delay everything but probes and redirects answers 503.'),

  // databases
  MONGO_DB_URL: text('MongoDB connect string; unset: the embedded engine in DATA_DIR (not in production).'),
  MONGO_POOL_SIZE: number(50, 1, 500, 'Largest number of MongoDB connections.'),
  MONGO_SLOW_MS: number(200, 1, 60_000, 'MongoDB commands slower than this are logged.'),
  REDIS_URL: text('Redis connect string; unset: limits, locks and invalidation work in the process.'),

  // secrets
  JWT_SECRET: text('Signs access tokens (HS256), at least 32 bytes; development makes one and keeps it in DATA_DIR.', { minLength: 32 }),
  JWT_SECRET_PREVIOUS: text('Accepted for verification while the key is being changed.', { minLength: 32 }),
  JWT_EXPIRES_IN: number(86_400, 60, 604_800, 'Life of an access token in seconds.'),
  JWT_ISSUER: text('Issuer that is put into tokens and demanded when a token names one.'),
  JWT_AUDIENCE: text('Audience that is put into tokens and demanded when a token names one.'),
  APP_SECRET: text('Signs the calls to the sockets, at least 32 bytes.', { minLength: 32 }),
  ENCRYPTION_KEY: text('Encrypts stored secrets (AES-256-GCM), at least 32 bytes.', { minLength: 32 }),
  AUTH_MIN_MS: number(400, 0, 5_000, 'Floor time of answers that must not tell who exists.'),

  // runtime
  JOBS_ONLY: textOr('', 'Job names that this copy may run; empty: all.'),
  JOBS_OFF: textOr('', 'Job names that this copy never runs.'),
  JOBS_TIMEZONE: textOr('UTC', 'Zone of calendar schedules.'),
  JOB_LEASE_MS: number(30_000, 1_000, 600_000, 'Lease of a claimed row.'),
  JOB_CONCURRENCY: number(8, 1, 200, 'Work rows that one copy handles at once.'),
  OUTBOX_CONCURRENCY: number(16, 1, 200, 'Deliveries that one copy makes at once.'),
  QM_TRIGGERS: family('Change propagation.'),
  QM_URL: family('Short links: expiry events, imports.'),
  QM_RETENTION: family('Sweeps of unfinished uploads and the nightly removal of what is no longer kept.'),
  AUDIT_RETENTION_DAYS: number(400, 30, 3_650, 'How long rows of the audit log are kept before they go to storage.'),

  QM_ACCOUNTS: family('Accounts: invites, set-up, trials, domains, snapshots.'),
  TRIAL_DAYS: number(14, 0, 365, 'Days that a new main account is on plan pro without a subscription.'),

  // short links
  SHORT_DOMAIN: text('Host of short links, such as dash.cl; unset: PUBLIC_URL.'),
  RESERVED_CODES: textOr('', 'Further words, comma-separated, that can never be a short code.'),
  CLICK_JOURNAL_DIR: text('Folder of the click journal; default DATA_DIR/clicks.'),
  CLICK_JOURNAL_MAX: number(1_073_741_824, 65_536, 1_099_511_627_776, 'Largest size of the click journal in bytes; past it clicks are dropped and counted as dropped.'),
  CLICK_RETENTION_DAYS: number(400, 1, 3_650, 'How long single clicks are kept.'),
  GEOIP_DB_PATH: text('MaxMind country or city database; unset: country unknown.'),
  COUNTRY_HEADER: text('Request header in which a proxy names the visitor\'s country.'),

  // providers; unset outside production: a twin in DATA_DIR/twins plays them
  SENDGRID_API_KEY: text('Mail.'),
  SENDGRID_BASE_URL: text('Other address of the SendGrid API.', { format: 'uri' }),
  SENDGRID_WEBHOOK_PUBLIC_KEY: text('Public key of SendGrid\'s signed event webhook.'),
  MAIL_FROM: textOr('no-reply@localhost.test', 'Sender of the platform\'s own mails.'),
  TWILIO_ACCOUNT_SID: text('SMS and voice.'),
  TWILIO_AUTH_TOKEN: text('SMS and voice.'),
  TWILIO_FROM: text('Number of the platform\'s own messages.'),
  TWILIO_MESSAGING_GROUP_SID: text('Sends the platform\'s own messages instead of TWILIO_FROM.'),
  TWILIO_BASE_URL: text('Other address of the Twilio API.', { format: 'uri' }),
  FIREBASE_ADMIN_SDK_JSON: text('Push: the JSON of the service account.'),
  FCM_BASE_URL: text('Other address of the FCM API.', { format: 'uri' }),
  S3_BUCKET: text('Files; unset: the folder DATA_DIR/files.'),
  S3_REGION: textOr('us-east-1', 'Region of the bucket.'),
  S3_ENDPOINT: text('Other address of the S3 API.', { format: 'uri' }),
  AWS_ACCESS_KEY_ID: text('Files.'),
  AWS_SECRET_ACCESS_KEY: text('Files.'),
  STRIPE_SECRET_KEY: text('Payments of the platform.'),
  STRIPE_API_BASE: text('Other address of the Stripe API.', { format: 'uri' }),
  STRIPE_TWIN_PORT: number(0, 0, 65_535, 'Port of the Stripe twin on loopback; 0 takes a free one.'),
  DUDA_SITES_DOMAIN: text('Address of the website builder\'s API.', { format: 'uri' }),
  DUDA_TOKEN: text('user:password of the website builder.'),
  DUDA_WEBHOOK_SECRET: text('Signs the website builder\'s hooks.'),

  // addresses that users name
  SSRF_ALLOW_HOSTS: textOr('', 'Host names, comma-separated, that guarded calls may reach although their address is not public; not in production.'),

  // sibling services
  EXTERNAL_API_URL: text('External API, port 5003.', { format: 'uri' }),
  GENERAL_SOCKET: text('General Socket, port 4000.', { format: 'uri' }),
  CONVERSATION_SOCKET: text('Conversation Socket, port 6001.', { format: 'uri' }),
  QUEUE_MANAGER_URL: text('Queue Manager, port 6002.', { format: 'uri' }),
  NOTIFICATION_URL: text('Notification service, port 5008.', { format: 'uri' }),
  CURRENCY_URL: text('Currency service, port 5005.', { format: 'uri' }),
  AI_URL: text('AI service, port 5010.', { format: 'uri' })
})

type Variables = Static<typeof Environment>
export type Config = Readonly<Variables> & {
  readonly production: boolean
  readonly publicUrl: string
  readonly clickJournalDir: string
}

const REQUIRED_IN_PRODUCTION = ['MONGO_DB_URL', 'REDIS_URL', 'JWT_SECRET'] as const

/** One message that names everything that is wrong, thrown before anything starts. */
export class ConfigError extends Error {}

const withoutEmpty = (env: NodeJS.ProcessEnv) => Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))

function read (env: NodeJS.ProcessEnv): Variables {
  try {
    return envSchema<Variables>({
      schema: Environment,
      data: withoutEmpty(env),
      env: false,
      ajv: { customOptions: ajv => ajv.addFormat('uri', (value: string) => URL.canParse(value)) }
    })
  } catch (error) {
    throw new ConfigError(`The configuration is not valid: ${(error as Error).message.replaceAll('env/', '')}`)
  }
}

/** @throws ConfigError with everything that is missing or wrong */
export function loadConfig (env: NodeJS.ProcessEnv = process.env): Config {
  const variables = read(env)
  const production = variables.NODE_ENV === 'production'
  const missing = production ? REQUIRED_IN_PRODUCTION.filter(name => variables[name] === undefined) : []
  if (missing.length > 0) throw new ConfigError(`Production needs ${missing.join(', ')}.`)
  return Object.freeze({
    ...variables,
    production,
    publicUrl: (variables.PUBLIC_URL ?? `http://localhost:${variables.PORT}`).replace(/\/+$/, ''),
    clickJournalDir: variables.CLICK_JOURNAL_DIR ?? `${variables.DATA_DIR}/clicks`
  })
}

/** The variables as documentation rows, in the order of this file. */
export const variableRows = () => Object.entries(Environment.properties).map(([name, schema]: [string, TSchema]) => ({
  name,
  type: Array.isArray(schema.enum) ? schema.enum.join(' \\| ') : String(schema.type),
  fallback: schema.default === undefined ? '' : String(schema.default),
  description: String(schema.description)
}))
