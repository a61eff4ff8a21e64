import xterm from '@xterm/headless';

/** A terminal as a person sees it: a program's output, laid out by a real terminal's rules, and laid out again when it is resized. */
export interface Screen {
  /** Stands in for `process.stderr` or `process.stdout`. */
  readonly stream: NodeJS.WriteStream;
  resize(columns: number): Promise<void>;
  /** Everything written so far, history included, without blank lines at the end. */
  read(): Promise<string>;
  dispose(): void;
}

export function createScreen(columns: number, rows = 24): Screen {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true, scrollback: 1000 });
  const listeners = new Set<() => void>();
  const settle = () => new Promise<void>((resolve) => terminal.write('', resolve));
  const stream = {
    isTTY: true,
    get columns() {
      return terminal.cols;
    },
    rows,
    write(text: string) {
      terminal.write(text);
      return true;
    },
    on: (_: 'resize', listener: () => void) => listeners.add(listener),
    off: (_: 'resize', listener: () => void) => listeners.delete(listener),
  };
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    async resize(to) {
      await settle();
      terminal.resize(to, rows);
      for (const listener of listeners) listener();
      await settle();
    },
    async read() {
      await settle();
      const { active } = terminal.buffer;
      const lines = Array.from({ length: active.length }, (_, index) => active.getLine(index)?.translateToString(true) ?? '');
      return lines.join('\n').trimEnd();
    },
    dispose: () => terminal.dispose(),
  };
}
