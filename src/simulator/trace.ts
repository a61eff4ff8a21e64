import { openAppendLog } from './append-log.ts';

/** One request as recorded in the trace: no body, no key. */
export interface TraceLine {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  /** As sent; 0 if the connection got no response. */
  readonly status: number;
  /** The names of the faults that fired on it. */
  readonly faults: readonly string[];
}

/** Counts all requests, and records them if a file is given. */
export interface Trace {
  add(line: TraceLine, route: string): void;
  /** How many requests came in, by `METHOD /path` with `:id` for ids. */
  counts(): Readonly<Record<string, number>>;
  close(): void;
}

/** Opens the trace; `path` null counts only. */
export function openTrace(path: string | null): Trace {
  const log = path === null ? undefined : openAppendLog(path);
  const counts = new Map<string, number>();
  return {
    add(line, route) {
      counts.set(route, (counts.get(route) ?? 0) + 1);
      log?.append([JSON.stringify(line)]);
    },
    counts: () => Object.fromEntries(counts),
    close: () => log?.close(),
  };
}
