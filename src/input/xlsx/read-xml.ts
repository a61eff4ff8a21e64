import { SaxesParser } from 'saxes';

/** Events of an XML text; names are without their prefixes. */
export interface XmlHandlers {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/** The same limit as for a record of any table. A text, an attribute or a comment is held in memory until it ends. */
export const MAX_PIECE_CHARACTERS = 64 * 1024 * 1024;

/** Reads an XML text piece by piece; results of the handlers are used after each piece. @throws Error with a sentence if it is not XML in UTF-8 */
export async function* readXml(chunks: AsyncIterable<Buffer>, handlers: XmlHandlers): AsyncGenerator<void> {
  const parser = new SaxesParser();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let fault: Error | null = null;
  let held = 0;
  /** Without bytes: the incomplete ones left over. */
  const decode = (bytes?: Buffer): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new Error('its XML is not UTF-8');
    }
  };
  const feed = (text: string) => {
    held += text.length;
    if (held > MAX_PIECE_CHARACTERS) throw new Error('it holds a text of more than 64 MB');
    parser.write(text);
    if (fault !== null) throw fault;
  };
  parser.on('error', (error) => {
    fault ??= error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    held = 0;
    handlers.open?.(localName(name), attributes);
  });
  if (handlers.text !== undefined) {
    parser.on('text', (text) => handlers.text?.(text));
    parser.on('cdata', (text) => handlers.text?.(text));
  }
  parser.on('closetag', ({ name }) => {
    held = 0;
    handlers.close?.(localName(name));
  });
  for await (const chunk of chunks) {
    feed(decode(chunk));
    yield;
  }
  feed(decode());
  parser.close();
  if (fault !== null) throw fault;
  yield;
}

/** Reads a whole XML text; a missing one has no events. */
export async function readWholeXml(chunks: AsyncIterable<Buffer> | null, handlers: XmlHandlers): Promise<void> {
  if (chunks === null) return;
  for await (const _ of readXml(chunks, handlers));
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
