import { styleText } from 'node:util';

/** Colours text that is already escaped, and knows how wide the terminal is. */
export interface Paint {
  (style: 'bold' | 'dim' | 'green' | 'yellow' | 'red', text: string): string;
  /** In cells; null for lines of any length. */
  readonly columns: number | null;
}

export function createPaint(colour: boolean, columns: number | null = null): Paint {
  const paint = (style: Parameters<Paint>[0], text: string) => (colour ? styleText(style, text, { validateStream: false }) : text);
  return Object.assign(paint, { columns });
}
