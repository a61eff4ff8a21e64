import { formatCount } from '../../core/wording/format-count.ts';

/** Keys of JSON records that are not columns of their table, because they first occur after the records that determined the columns. */
export interface LateKeys {
  look(record: Readonly<Record<string, unknown>>, file: string, line: number): void;
  /** In words; empty if there are none. */
  describe(): readonly string[];
}

const MAX_KEYS = 1_000;
const SHOWN_KEYS = 5;

export function createLateKeys(columns: readonly string[]): LateKeys {
  const known = new Set(columns);
  const found: { readonly key: string; readonly file: string; readonly line: number }[] = [];

  return {
    look(record, file, line) {
      for (const key in record) {
        if (known.has(key) || found.length >= MAX_KEYS) continue;
        known.add(key);
        found.push({ key, file, line });
      }
    },
    describe() {
      if (found.length === 0) return [];
      const told = found.slice(0, SHOWN_KEYS).map(({ key, file, line }) => {
        return `${file}:${line}: the key ${JSON.stringify(key)} first appears here, after the records the columns were taken from, so it is not a column; list it in input.columns to make it one`;
      });
      const more = found.length - SHOWN_KEYS;
      if (more <= 0) return told;
      return [
        ...told,
        `${found.length === MAX_KEYS ? 'at least ' : ''}${formatCount(more)} more keys first appear that late and are not columns`,
      ];
    },
  };
}
