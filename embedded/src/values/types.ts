import { readDocument, readKeys, readField } from './bson-read.js'

/**
 * Every BSON value inside the engine. A plain JavaScript `number` is deliberately not one: whoever makes a number
 * says which of MongoDB's four it is. A missing value is `undefined` (see Maybe), BSON null is `null`.
 * Values are immutable once shared; only a Doc that you made yourself may be changed.
 */
export type Value =
  | null | boolean | string
  | Int32 | bigint | Double | Decimal128 // bigint is the 64-bit integer ("long")
  | ObjectId | BsonDate | Timestamp | Binary | Regex | Code | BsonSymbol | DbPointer
  | MinKey | MaxKey | Undefined
  | Doc | Value[]

/** A value or "missing". */
export type Maybe = Value | undefined

export class Int32 {
  constructor (readonly value: number) {}

  /** @param value an integer within 32 bits; small ones are shared objects */
  static of (value: number): Int32 {
    return value >= -1 && value < 1024 ? SMALL[value + 1]! : new Int32(value)
  }
}
const SMALL: readonly Int32[] = Array.from({ length: 1025 }, (_, i) => new Int32(i - 1))

export class Double {
  constructor (readonly value: number) {}
}

/** 128-bit decimal as its 16 little-endian bytes; arithmetic lives in decimal128.ts. */
export class Decimal128 {
  constructor (readonly bytes: Uint8Array) {}
}

/** Milliseconds since the epoch over the whole 64-bit range that fits a double exactly. */
export class BsonDate {
  constructor (readonly ms: number) {}
}

export class Timestamp {
  constructor (readonly seconds: number, readonly increment: number) {}
}

export class ObjectId {
  constructor (readonly bytes: Uint8Array) {}

  toHex (): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, 12).toString('hex')
  }
}

export class Binary {
  constructor (readonly bytes: Uint8Array, readonly subtype: number) {}
}

export class Regex {
  constructor (readonly pattern: string, readonly options: string) {}
}

export class Code {
  constructor (readonly code: string, readonly scope?: Doc) {}
}

export class BsonSymbol {
  constructor (readonly value: string) {}
}

export class DbPointer {
  constructor (readonly namespace: string, readonly id: Uint8Array) {}
}

export class MinKey { static readonly instance = new MinKey() }
export class MaxKey { static readonly instance = new MaxKey() }
/** BSON's deprecated type 6, not a missing value. */
export class Undefined { static readonly instance = new Undefined() }

/**
 * An ordered document. It is either raw (BSON bytes as they came; `get` looks the field up in the bytes and decodes only
 * that value) or open (an ordered map). A raw document opens itself on the first change or when it is read often.
 * Keys are any strings: `__proto__`, `constructor` and `0` are ordinary.
 */
export class Doc {
  #fields: Map<string, Value> | undefined
  #bytes: Uint8Array | undefined
  #reads = 0

  private constructor (fields: Map<string, Value> | undefined, bytes: Uint8Array | undefined) {
    this.#fields = fields
    this.#bytes = bytes
  }

  /** @param bytes exactly one valid BSON document (already validated: see bson-validate.ts) */
  static raw (bytes: Uint8Array): Doc {
    return new Doc(undefined, bytes)
  }

  static of (entries: Iterable<readonly [string, Value]> = []): Doc {
    return new Doc(new Map(entries as Iterable<[string, Value]>), undefined)
  }

  /** The bytes of a document that nobody has changed, else undefined; encodeDocument uses them as they are. */
  get rawBytes (): Uint8Array | undefined {
    return this.#bytes
  }

  get (key: string): Maybe {
    if (this.#fields !== undefined) return this.#fields.get(key)
    if (++this.#reads > 8) return this.#open().get(key)
    return readField(this.#bytes!, key)
  }

  has (key: string): boolean {
    return this.get(key) !== undefined
  }

  /** Changes this document in place: an existing field keeps its position, a new one goes last. */
  set (key: string, value: Value): this {
    this.#open().set(key, value)
    this.#bytes = undefined
    return this
  }

  delete (key: string): boolean {
    const had = this.#open().delete(key)
    if (had) this.#bytes = undefined
    return had
  }

  get size (): number {
    return this.#fields !== undefined ? this.#fields.size : this.#open().size
  }

  keys (): IterableIterator<string> {
    return this.#fields !== undefined ? this.#fields.keys() : readKeys(this.#bytes!)
  }

  firstKey (): string | undefined {
    return this.keys().next().value as string | undefined
  }

  values (): IterableIterator<Value> {
    return this.#open().values()
  }

  entries (): IterableIterator<[string, Value]> {
    return this.#open().entries()
  }

  [Symbol.iterator] (): IterableIterator<[string, Value]> {
    return this.entries()
  }

  /** A shallow copy that may be changed without touching this one. */
  copy (): Doc {
    return new Doc(this.#fields === undefined ? undefined : new Map(this.#fields), this.#bytes)
  }

  #open (): Map<string, Value> {
    this.#fields ??= readDocument(this.#bytes!)
    return this.#fields
  }
}

export const isDoc = (v: Maybe): v is Doc => v instanceof Doc
export const isNumber = (v: Maybe): v is Int32 | bigint | Double | Decimal128 =>
  v instanceof Int32 || v instanceof Double || typeof v === 'bigint' || v instanceof Decimal128
