/** The part of a pino logger that the clients of outside systems use. */
export type Log = {
  debug (fields: object, text?: string): void
  info (fields: object, text?: string): void
  warn (fields: object, text?: string): void
  error (fields: object, text?: string): void
}

const nothing = () => {}
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
