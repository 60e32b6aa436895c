type Write = { readonly key: Buffer, readonly value: Buffer | undefined }

/** The writes of a transaction by key, and in order of their keys; the order is made when a range asks for it. */
export class SortedWrites {
  readonly #byKey = new Map<string, Write>()
  /** sorted, may hold forgotten or replaced writes */
  #sorted: Write[] = []
  #unsorted: Write[] = []

  get size (): number {
    return this.#byKey.size
  }

  has (key: Buffer): boolean {
    return this.#byKey.has(key.toString('latin1'))
  }

  get (key: Buffer): Buffer | undefined {
    return this.#byKey.get(key.toString('latin1'))?.value
  }

  set (key: Buffer, value: Buffer | undefined): void {
    const write = { key, value }
    this.#byKey.set(key.toString('latin1'), write)
    this.#unsorted.push(write)
  }

  forget (key: Buffer): void {
    this.#byKey.delete(key.toString('latin1'))
  }

  * all (): IterableIterator<Write> {
    yield * this.#byKey.values()
  }

  * between (start: Buffer, end: Buffer, reverse: boolean): IterableIterator<Write> {
    const sorted = this.#inOrder()
    const low = lowerBound(sorted, start)
    const high = lowerBound(sorted, end)
    if (reverse) for (let i = high - 1; i >= low; i--) yield sorted[i]
    else for (let i = low; i < high; i++) yield sorted[i]
  }

  #inOrder (): readonly Write[] {
    if (this.#unsorted.length === 0 && this.#sorted.length === this.#byKey.size) return this.#sorted
    // A range under way keeps the array it began with.
    const current = (write: Write): boolean => this.#byKey.get(write.key.toString('latin1')) === write
    const added = this.#unsorted.filter(current).sort((a, b) => Buffer.compare(a.key, b.key))
    this.#sorted = merge(this.#sorted.filter(current), added)
    this.#unsorted = []
    return this.#sorted
  }
}

function merge (a: readonly Write[], b: readonly Write[]): Write[] {
  const merged: Write[] = []
  let i = 0
  for (const write of b) {
    while (i < a.length && Buffer.compare(a[i].key, write.key) < 0) merged.push(a[i++])
    merged.push(write)
  }
  while (i < a.length) merged.push(a[i++])
  return merged
}

function lowerBound (sorted: readonly Write[], key: Buffer): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (Buffer.compare(sorted[middle].key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
