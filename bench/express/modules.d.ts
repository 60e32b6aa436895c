// Only what this folder uses: the packages are development-only and bring no types of their own.
declare module 'express' {
  import type { IncomingMessage, ServerResponse, Server } from 'node:http'

  export interface Request extends IncomingMessage {
    params: Record<string, string>
    query: Record<string, unknown>
    originalUrl: string
    ip: string
    id: string
    claims?: { userId: string, accountId: string, permissions: string[] }
    get (name: string): string | undefined
  }
  export interface Response extends ServerResponse {
    status (code: number): this
    set (name: string, value: string): this
    json (body: object): this
  }
  export type Next = (error?: unknown) => void
  export type Handler = (req: Request, res: Response, next: Next) => void
  export type ErrorHandler = (error: Error & { status?: number }, req: Request, res: Response, next: Next) => void
  export interface Router {
    (req: Request, res: Response, next: Next): void
    use (...handlers: Handler[]): this
    get (path: string, ...handlers: Handler[]): this
  }
  export interface Application {
    (req: Request, res: Response, next: Next): void
    get (path: string, ...handlers: Handler[]): this
    use (handler: Handler): this
    use (path: string, ...handlers: Handler[]): this
    use (handler: ErrorHandler): this
    disable (setting: string): this
    listen (port: number, host: string): Server
  }
  interface Express {
    (): Application
    Router (): Router
    json (): Handler
  }
  const express: Express
  export default express
}

declare module 'jsonwebtoken' {
  interface Jwt {
    verify (token: string, secret: string, options: { algorithms: string[] }): object
  }
  const jwt: Jwt
  export default jwt
}
