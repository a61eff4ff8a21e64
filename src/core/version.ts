/** The version of this program, as package.json says it. */
export const VERSION = '0.2.0';
