/** A count for a person, with thousands separators: `41,220`. The same form in every message, table and report. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count with its noun: `1 call`, `1,204 calls`. */
export function formatThings(count: number, thing: string): string {
  return `${formatCount(count)} ${thing}${count === 1 ? '' : 's'}`;
}
