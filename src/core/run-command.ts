import { relative } from 'node:path';
import { quotePath } from './wording/quote-argument.ts';

/** What continues a run. */
export interface RunCommand {
  /** A command as typed; or a call in a program. */
  readonly text: string;
  /** The folder its paths are relative to; null for a call in a program. */
  readonly folder: string | null;
}

/** A command as it can be typed in another folder. */
export function showCommandFrom(cwd: string, { text, folder }: RunCommand): string {
  const way = folder === null ? '' : relative(cwd, folder);
  return way === '' ? text : `cd ${quotePath(way)} && ${text}`;
}
