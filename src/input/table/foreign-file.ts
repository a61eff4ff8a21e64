import { formatCount } from '../../core/wording/format-count.ts';
import { quoteArgument } from '../../core/wording/quote-argument.ts';

/** A file that is not a table this version can read. */
interface ForeignKind {
  /** With its article: "a PDF". */
  readonly name: string;
  /** What to do, after a semicolon. */
  readonly remedy: (file: string) => string;
}

/** Enough bytes of a file to recognise its type. */
export const HEAD_BYTES = 4096;

const IN_A_SPREADSHEET = 'save the sheet as CSV (UTF-8) in the spreadsheet program';
const ZIP = 'PK\x03\x04';
const ARCHIVE = 'a ZIP archive';
const UNPACK = () => 'unpack it first, or compress it with gzip';
const TAKE_TEXT = () => 'put its text into a table first, one row per text';

const WRITE_AGAIN = () => 'export it as CSV or JSONL from the program that made it';

const convertSheet = (file: string) => `${IN_A_SPREADSHEET}, or: soffice --headless --convert-to csv ${quoteArgument(file)}`;

const convertSqlite = (file: string) => `write a table of it: sqlite3 -header -csv ${quoteArgument(file)} 'select * from NAME' > NAME.csv`;

/** How such files start, or what their beginnings contain, in Latin-1, so that a character is a byte; the first match counts. */
const KINDS: readonly (ForeignKind & { readonly begins: readonly string[]; readonly holds?: readonly string[] })[] = [
  { begins: [ZIP], holds: ['opendocument.spreadsheet'], name: 'an OpenDocument spreadsheet', remedy: convertSheet },
  { begins: [ZIP], holds: ['word/', 'wordprocessingml', 'opendocument.text'], name: 'a text document', remedy: TAKE_TEXT },
  { begins: [ZIP], name: ARCHIVE, remedy: UNPACK },
  { begins: ['\xd0\xcf\x11\xe0'], name: 'an Office file of the old kind (.xls), or one with a password', remedy: convertSheet },
  { begins: ['ARROW1', 'FEA1'], name: 'an Arrow file', remedy: WRITE_AGAIN },
  { begins: ['ORC'], holds: ['\0'], name: 'an ORC file', remedy: WRITE_AGAIN },
  { begins: ['Obj\x01'], name: 'an Avro file', remedy: WRITE_AGAIN },
  { begins: ['SQLite format 3\0'], name: 'an SQLite database', remedy: convertSqlite },
  { begins: ['%PDF-'], name: 'a PDF', remedy: TAKE_TEXT },
  { begins: ['{\\rtf'], name: 'a text document (RTF)', remedy: TAKE_TEXT },
  {
    begins: ['\x89PNG', '\xff\xd8\xff', 'GIF8', 'RIFF'],
    name: 'an image',
    remedy: () => 'a table names images in a column: prompt.images',
  },
  { begins: ['BZh', '\xfd7zXZ', '\x28\xb5\x2f\xfd', '7z\xbc\xaf', 'Rar!'], name: 'a packed file', remedy: UNPACK },
  { begins: ['<!doctype html', '<html'], name: 'a web page (HTML)', remedy: () => 'download the table itself, as CSV' },
  { begins: ['<?xml'], name: 'an XML file', remedy: () => 'convert it to CSV or JSONL' },
];

const SHEETS = /\.ods$/i;
const SHEET: ForeignKind = { name: 'a spreadsheet', remedy: convertSheet };

/** The binary format of a table, by its first bytes, and by the name if these only show a ZIP archive; null for everything else. */
export function tellBinaryFormat(file: string, head: Buffer): 'parquet' | 'xlsx' | null {
  const bytes = head.toString('latin1');
  if (bytes.startsWith('PAR1')) return 'parquet';
  return bytes.startsWith(ZIP) && (/\.xls[xm]$/i.test(file) || bytes.includes('xl/')) ? 'xlsx' : null;
}

/**
 * A sentence that says what a file is if it is not a table, and what to do with it; null for what may be one.
 * @param head its first bytes, `HEAD_BYTES` at most
 */
export function describeForeign(file: string, head: Buffer): string | null {
  if (tellBinaryFormat(file, head) !== null) return null;
  const bytes = head.toString('latin1');
  const text = bytes
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()
    .toLowerCase();
  const found = KINDS.find(
    ({ begins, holds }) =>
      begins.some((start) => bytes.startsWith(start) || (start.startsWith('<') && text.startsWith(start))) &&
      (holds === undefined || holds.some((part) => bytes.includes(part))),
  );
  // In a workbook the identifying names may come after the head.
  const kind: ForeignKind | undefined = found?.name === ARCHIVE && SHEETS.test(file) ? SHEET : found;
  return kind === undefined ? null : `${file}: is ${kind.name}, which cannot be read; ${kind.remedy(file)}`;
}

/** Bytes that text has none of, though a few may be damage. Others below 0x20 are line breaks and tabs, or separate columns in some tables. */
const isNoText = (byte: number) => byte === 0 || (byte >= 0x04 && byte <= 0x06) || (byte >= 0x0e && byte <= 0x19);
const NO_TEXT_SHARE = 0.01;

/**
 * A sentence that says why a file is no text, and what to do; null for text, in which a few bytes may be wrong.
 * @param head its first bytes, unpacked; not of UTF-16, where every other one is zero
 */
export function describeNoText(file: string, head: Buffer): string | null {
  const bytes = head.subarray(0, HEAD_BYTES);
  const found = bytes.filter(isNoText);
  if (found.length < 2 || found.length < bytes.length * NO_TEXT_SHARE) return null;
  const what = found.includes(0) ? 'zeros or other control characters' : 'control characters';
  return `${file}: is not text: ${formatCount(found.length)} of its first ${formatCount(bytes.length)} bytes are ${what}; ${WRITE_AGAIN()}`;
}
