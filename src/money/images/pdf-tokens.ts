const PDF_URL = 'data:application/pdf;base64,';

/** What can be found out about a file's pages from outside. */
export interface PdfPages {
  readonly pages: number;
  /** Whether they were counted; otherwise they are guessed from the size. */
  readonly isCounted: boolean;
}

/** Typical bytes per page of scanners and writers, for a file that does not list its pages in plain text. */
const GUESSED_PAGE_BYTES = 50_000;

/** Pages of a PDF in a data URL; null for everything else. */
export function countPdfPages(url: string): PdfPages | null {
  if (!url.startsWith(PDF_URL)) return null;
  const bytes = Buffer.from(url.slice(PDF_URL.length), 'base64');
  const counted = bytes.toString('latin1').match(/\/Type\s*\/Page(?![a-zA-Z])/g)?.length ?? 0;
  if (counted > 0) return { pages: counted, isCounted: true };
  return { pages: Math.ceil(bytes.length / GUESSED_PAGE_BYTES), isCounted: false };
}
