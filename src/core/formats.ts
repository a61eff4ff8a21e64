import { AppError, EXIT } from './errors.ts';
import { VERSION } from './version.ts';

/**
 * The newest format this version reads, and the one it writes, of everything it shares with other versions: the state directory, the files a
 * run keeps in it, and the messages between runs and workers over Redis. A number is raised when an older version would misread the new
 * data; data without a number is format 1.
 */
export const FORMATS = { state: 1, summary: 1, redis: 2 } as const;

const NAMELESS = 'a newer rowmill';

/** What data says about the version that wrote it, true or not. */
export interface Written {
  /** Unknown if it is missing or malformed. */
  readonly format: unknown;
  readonly version: unknown;
}

/** A newer version wrote this, in an unknown format. Exit 1; nothing was changed and nothing sent. */
export class NewerFormatError extends AppError {
  constructor(message: string) {
    super(message, { code: 'newer_format', exitCode: EXIT.bug });
    this.name = 'NewerFormatError';
  }
}

/**
 * The sentence that refuses data of a newer version; null if it can be read.
 * @param what the start of the sentence: `the state directory /a/b was written`
 */
export function refuseNewer(kind: keyof typeof FORMATS, what: string, { format, version }: Written): string | null {
  if (typeof format !== 'number' || !(format > FORMATS[kind])) return null;
  // It may come from anyone who can write to Redis.
  const writer = typeof version === 'string' && /^[\w.+-]{1,40}$/.test(version) ? `rowmill ${version}` : NAMELESS;
  const noun = kind === 'redis' ? 'Redis protocol' : 'format';
  const remedy = writer === NAMELESS ? writer : `${writer} or newer`;
  return `${what} by ${writer} with ${noun} ${format}, but this is rowmill ${VERSION}, which knows ${noun} ${FORMATS[kind]}: use ${remedy}`;
}
