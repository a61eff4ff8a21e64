import { fstatSync, openSync, readSync } from 'node:fs';
import type { Words } from './rank-table.ts';

/** What the kernel keeps of a file at once. */
const PAGE_WORDS = 1024;

/** A file whose pages are read when a word of them is first asked for, and then kept: a small table needs few of the megabytes of an encoding. It stays open. */
export function openWords(file: URL): Words {
  const descriptor = openSync(file, 'r');
  const bytes = fstatSync(descriptor).size;
  const pages = Array<Uint32Array | undefined>(Math.ceil(bytes / (PAGE_WORDS * Uint32Array.BYTES_PER_ELEMENT)));
  function readPage(number: number): Uint32Array {
    const page = new Uint32Array(PAGE_WORDS);
    readSync(descriptor, page, 0, page.byteLength, number * page.byteLength);
    pages[number] = page;
    return page;
  }
  return {
    bytes,
    at(index) {
      const number = Math.trunc(index / PAGE_WORDS);
      return (pages[number] ?? readPage(number))[index % PAGE_WORDS] as number;
    },
  };
}
