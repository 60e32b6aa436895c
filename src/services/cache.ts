import { LRUCache } from 'lru-cache'

type Options<V> = {
  /** names the cache in invalidations and metrics; unique in the service */
  scope: string
  max: number
  /** milliseconds that a value may be served without asking again */
  ttl: number
  load (key: string): Promise<V>
  /** milliseconds for values such as "nobody has this key"; default ttl */
  ttlOf? (value: V): number
}

type Slot<V> = { value: V }

/** A bounded cache in the process: a hit answers without a promise, and all who miss the same key at once share one load. */
export class Cache<V> {
  readonly #slots: LRUCache<string, Slot<V>>
  readonly #loading = new Map<string, Promise<V>>()

  constructor (readonly options: Options<V>) {
    this.#slots = new LRUCache({ max: options.max, ttl: options.ttl, ttlResolution: 100 })
  }

  /** The value when it is here and fresh. */
  peek (key: string): V | undefined {
    return this.#slots.get(key)?.value
  }

  get (key: string): V | Promise<V> {
    const slot = this.#slots.get(key)
    if (slot !== undefined) return slot.value
    return this.#loading.get(key) ?? this.#load(key)
  }

  set (key: string, value: V): void {
    this.#slots.set(key, { value }, { ttl: this.options.ttlOf?.(value) ?? this.options.ttl })
  }

  /** Forgets the key, and whatever a load that is under way would have put there. */
  delete (key: string): void {
    this.#slots.delete(key)
    this.#loading.delete(key)
  }

  clear (): void {
    this.#slots.clear()
    this.#loading.clear()
  }

  get size (): number {
    return this.#slots.size
  }

  async #load (key: string): Promise<V> {
    const loading = this.options.load(key)
    this.#loading.set(key, loading)
    try {
      const value = await loading
      if (this.#loading.get(key) === loading) this.set(key, value)
      return value
    } finally {
      if (this.#loading.get(key) === loading) this.#loading.delete(key)
    }
  }
}
