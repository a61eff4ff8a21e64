/** A count for a person, with thousands separated: `41,220`. One form in every message, table and report. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A count and what is counted: `1 call`, `1,204 calls`. */
export function formatThings(count: number, thing: string): string {
  return `${formatCount(count)} ${thing}${count === 1 ? '' : 's'}`;
}
