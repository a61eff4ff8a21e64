/** What one run of a script takes at most: a longer one would keep Redis from everybody else. */
const MOST_ITEMS = 64;
const MOST_CHARACTERS = 1_000_000;

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes one command of what is asked of a state over one link within one turn of the event loop: a command of its own costs each of them several times as much,
 * here and in Redis.
 * @param run gives an answer for each item, in their order; where it rejects, each of them has failed
 */
export function createTogether<Link extends object, Item, Answer>(
  run: (link: Link, state: string, items: readonly Item[]) => Promise<readonly Answer[]>,
  lengthOf: (item: Item) => number,
): (link: Link, state: string, item: Item) => Promise<Answer> {
  const byLink = new WeakMap<Link, Map<string, Waiting<Item, Answer>[]>>();

  async function runAll(link: Link, state: string, group: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await run(
        link,
        state,
        group.map(({ item }) => item),
      );
      for (const [index, { resolve }] of group.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  function leave(link: Link, byState: Map<string, Waiting<Item, Answer>[]>): void {
    byLink.delete(link);
    for (const [state, waiting] of byState) {
      let group: Waiting<Item, Answer>[] = [];
      let characters = 0;
      for (const one of waiting) {
        const length = lengthOf(one.item);
        if (group.length === MOST_ITEMS || (group.length > 0 && characters + length > MOST_CHARACTERS)) {
          void runAll(link, state, group);
          [group, characters] = [[], 0];
        }
        group.push(one);
        characters += length;
      }
      void runAll(link, state, group);
    }
  }

  return (link, state, item) =>
    new Promise((resolve, reject) => {
      let byState = byLink.get(link);
      if (byState === undefined) {
        const gathered = new Map<string, Waiting<Item, Answer>[]>();
        byState = gathered;
        byLink.set(link, gathered);
        setImmediate(() => leave(link, gathered));
      }
      const waiting = byState.get(state);
      if (waiting === undefined) byState.set(state, [{ item, resolve, reject }]);
      else waiting.push({ item, resolve, reject });
    });
}
