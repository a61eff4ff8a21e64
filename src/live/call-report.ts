/** What a worker tells about an answered call beside its line. */
export interface CallReport {
  readonly durationMs: number;
  /** Null where the answer names no usage. */
  readonly usedTokens: number | null;
}

/** As it travels: two numbers, the second empty where it is not known. */
export function writeReport({ durationMs, usedTokens }: CallReport): string {
  return `${Math.round(durationMs)}|${usedTokens ?? ''}`;
}

/** Null for anything that is no report: whoever can write to Redis may have written it. */
export function readReport(text: string): CallReport | null {
  const [, durationMs, usedTokens] = /^(\d{1,12})\|(\d{1,12})?$/.exec(text) ?? [];
  if (durationMs === undefined) return null;
  return { durationMs: Number(durationMs), usedTokens: usedTokens === undefined ? null : Number(usedTokens) };
}
