const PAGE_BYTES = 1 << 20;
/** More than the records of a shard take, whose rows find theirs in any order. */
const MOST_PAGES = 24;
const NEWLINE = 10;

/**
 * Reads single lines of a file of which many are needed, page by page; pages are cached, and the memory of the oldest is used again: what is left
 * to the garbage collector instead adds up to tens of megabytes.
 * @param fill reads from an offset on. Returns how many bytes there were
 * @returns for the offset of a line the line without its newline, in latin1; null if it does not end in the page it starts in
 */
export function createLinePages(fill: (memory: Buffer, offsetBytes: number) => number): (offsetBytes: number) => string | null {
  const pages = new Map<number, Buffer>();

  function takeMemory(): Buffer {
    const [oldest] = pages.size < MOST_PAGES ? [] : pages;
    if (oldest === undefined) return Buffer.allocUnsafeSlow(PAGE_BYTES);
    pages.delete(oldest[0]);
    return Buffer.from(oldest[1].buffer);
  }

  return (offsetBytes) => {
    const number = Math.floor(offsetBytes / PAGE_BYTES);
    let page = pages.get(number);
    if (page === undefined) {
      const memory = takeMemory();
      page = memory.subarray(0, fill(memory, number * PAGE_BYTES));
      pages.set(number, page);
    }
    const start = offsetBytes - number * PAGE_BYTES;
    const end = page.indexOf(NEWLINE, start);
    return end < 0 ? null : page.toString('latin1', start, end);
  };
}
