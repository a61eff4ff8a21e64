import { crc32 } from 'node:zlib';

/** What must match for a block to be valid for its response file. */
export interface BlockSource {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The hash of the rules the answers were judged by. */
  readonly rules: string;
  /** The header's length, if it has to be known before its content is; otherwise it is as long as necessary. */
  readonly headerBytes?: number;
}

/** The content of a block besides its lines. */
export interface BlockContent {
  /** How many of the lines, the first ones, are repeats. */
  readonly repeats: number;
  readonly anomalies: Readonly<Record<string, number>>;
}

/** The first line of a block. */
export interface BlockHeader extends BlockSource, BlockContent {
  /** Decimal and padded, so that the header's length is known before the lines are. */
  readonly bodyBytes: string;
  /** Of the lines, after the header with zeros in place of its own crc. */
  readonly crc: string;
}

/** The first line of a block, newline included. */
export function makeHeader(header: BlockSource & BlockContent, bodyBytes: number, crc: number): Buffer {
  const { file, bytes, sha256, rules, repeats, anomalies } = header;
  const padded = String(bodyBytes).padStart(15, '0');
  const json = JSON.stringify({ file, bytes, sha256, rules, repeats, anomalies, bodyBytes: padded, crc: formatCrc(crc) });
  return Buffer.from(`${json.padEnd((header.headerBytes ?? 0) - 1)}\n`);
}

export function formatCrc(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

/** Of a block: its header with zeros in place of the crc, and its lines. */
export function crcOf(header: BlockSource & BlockContent, bodyBytes: number, bodies: readonly Buffer[]): number {
  return bodies.reduce((sum, body) => crc32(body, sum), crc32(makeHeader(header, bodyBytes, 0)));
}
