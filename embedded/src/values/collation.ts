export class Collation {
  declare key: (s: string) => Buffer
  declare compare: (a: string, b: string) => number
}
