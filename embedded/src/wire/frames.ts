import { HEADER_LENGTH, MAX_MESSAGE, ProtocolFault } from './message.js'

/** Cuts a byte stream into messages. A large message is gathered once into its final buffer, so that many small chunks cost no copies. */
export class FrameReader {
  #rest: Buffer | undefined
  #message: Buffer | undefined
  #filled = 0

  #fill (data: Buffer): Buffer {
    const message = this.#message!
    const part = data.subarray(0, message.length - this.#filled)
    part.copy(message, this.#filled)
    this.#filled += part.length
    return data.subarray(part.length)
  }

  * push (chunk: Buffer): Generator<Buffer> {
    let data = chunk
    while (data.length > 0) {
      if (this.#message !== undefined) {
        data = this.#fill(data)
        if (this.#message === undefined || this.#filled < this.#message.length) return
        const whole = this.#message
        this.#message = undefined
        yield whole
        continue
      }
      if (this.#rest !== undefined) {
        data = Buffer.concat([this.#rest, data])
        this.#rest = undefined
      }
      if (data.length < HEADER_LENGTH) {
        this.#rest = data
        return
      }
      const length = data.readInt32LE(0)
      if (length < HEADER_LENGTH + 5 || length > MAX_MESSAGE) throw new ProtocolFault(`message length ${length}`)
      if (data.length >= length) {
        yield data.subarray(0, length)
        data = data.subarray(length)
      } else {
        this.#message = Buffer.allocUnsafeSlow(length)
        this.#filled = 0
      }
    }
  }
}
