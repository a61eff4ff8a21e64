const PAGE_BYTES = 1 << 20;
/** More than the records of a shard take, whose rows find theirs in any order. */
const MOST_PAGES = 24;
const NEWLINE = 10;

/**
 * Reads single lines of a file of which many are needed, page by page; pages are cached, and the oldest is dropped.
 * @returns for the offset of a line the line without its newline, in latin1; null if it does not end in the page it starts in
 */
export function createLinePages(
  read: (place: { readonly offsetBytes: number; readonly lengthBytes: number }) => Buffer,
): (offsetBytes: number) => string | null {
  const pages = new Map<number, Buffer>();
  return (offsetBytes) => {
    const number = Math.floor(offsetBytes / PAGE_BYTES);
    let page = pages.get(number);
    if (page === undefined) {
      page = read({ offsetBytes: number * PAGE_BYTES, lengthBytes: PAGE_BYTES });
      if (pages.size === MOST_PAGES) pages.delete(pages.keys().next().value as number);
      pages.set(number, page);
    }
    const start = offsetBytes - number * PAGE_BYTES;
    const end = page.indexOf(NEWLINE, start);
    return end < 0 ? null : page.toString('latin1', start, end);
  };
}
