import path from 'node:path';
import { stringify } from 'yaml';
import type { DraftPlace } from './locate-draft.ts';
import { sealText } from './seal.ts';

/** What the job file of a table of requests is made from. */
export interface RequestsDraftParts {
  readonly place: DraftPlace;
  /** The table, absolute or a glob. */
  readonly table: string;
  /** A line that lets editors complete the file; empty if there is none. */
  readonly schemaLine: string;
}

/** The job file of existing requests: nothing has to be guessed. */
export function draftRequests({ place, table, schemaLine }: RequestsDraftParts): string {
  const job = {
    name: place.name,
    input: { path: path.relative(path.dirname(place.file), table), format: 'requests' },
    mode: 'batch',
    write: { path: `${place.out}.jsonl` },
  };
  const head = `${schemaLine === '' ? '' : `${schemaLine.trimEnd()}\n`}# Made by rowmill: each line of the input is a request, sent as it is. mode: live sends them now.\n`;
  const tail = '# budget: { usd: 5.00 }   # per run; nothing is sent that could exceed it\n';
  return sealText(`${head}${stringify(job, { lineWidth: 0 })}${tail}`);
}
