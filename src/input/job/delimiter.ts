/** One character, or a word for the one that cannot be seen. */
export const DELIMITER_PATTERN = '^([^"\\r\\n]|tab)$';

/** The character between the cells of a table, in the schema of a job. */
export function makeDelimiterSchema(description: string): object {
  return { type: 'string', pattern: DELIMITER_PATTERN, description };
}

/** The character that a job names. */
export function readDelimiter(name: string): string {
  return name === 'tab' ? '\t' : name;
}

/** A character as a job names it. */
export function nameDelimiter(delimiter: string): string {
  return delimiter === '\t' ? 'tab' : delimiter;
}
