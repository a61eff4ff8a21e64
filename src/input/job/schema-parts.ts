/** Names of columns. */
export const NAMES = { type: 'array', items: { type: 'string' }, uniqueItems: true };

/** An object without further keys. */
export function closed(properties: Record<string, object>, more: object = {}): object {
  return { type: 'object', additionalProperties: false, properties, ...more };
}
