const GSM = new Set('@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà')
const GSM_TWO = new Set('\f^{}\\[~]|€')

export type Segments = { encoding: 'GSM-7' | 'UCS-2', segments: number }

/** How many SMS a text becomes: 160/153 characters of the GSM alphabet, 70/67 UTF-16 units with any other character. Empty text is one. */
export function segmentsOf (text: string): Segments {
  const sizes = Array.from(text, char => GSM.has(char) ? 1 : GSM_TWO.has(char) ? 2 : 0)
  return sizes.includes(0)
    ? { encoding: 'UCS-2', segments: fill(Array.from(text, char => char.length), 70, 67) }
    : { encoding: 'GSM-7', segments: fill(sizes, 160, 153) }
}

/** A character of two units is never torn over two segments. */
function fill (sizes: readonly number[], single: number, part: number): number {
  if (sizes.reduce((sum, size) => sum + size, 0) <= single) return 1
  let segments = 1
  let used = 0
  for (const size of sizes) {
    if (used + size > part) {
      segments++
      used = 0
    }
    used += size
  }
  return segments
}
