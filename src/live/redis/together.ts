import { createGathering, type Gathering } from '../../core/gathering.ts';

/** The most items per call of a script: a longer one would block Redis for everybody else. */
const MOST_ITEMS = 64;
const MOST_CHARACTERS = 1_000_000;

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** The items of one connection that wait to be sent, by state. */
interface Asked<Item, Answer> {
  readonly gathering: Gathering;
  byState: Map<string, Waiting<Item, Answer>[]>;
}

/**
 * Combines the items of one state that arrive over one connection within a few milliseconds into one command: separate commands cost several
 * times as much, here and in Redis.
 * @param run returns an answer for each item, in order; if it rejects, each of them has failed
 */
export function createTogether<Link extends object, Item, Answer>(
  run: (link: Link, state: string, items: readonly Item[]) => Promise<readonly Answer[]>,
  lengthOf: (item: Item) => number,
): (link: Link, state: string, item: Item) => Promise<Answer> {
  const byLink = new WeakMap<Link, Asked<Item, Answer>>();

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

  async function leave(link: Link, asked: Asked<Item, Answer>): Promise<void> {
    await asked.gathering.gather();
    const { byState } = asked;
    asked.byState = new Map();
    asked.gathering.taken([...byState.values()].reduce((sum, { length }) => sum + length, 0));
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
      let asked = byLink.get(link);
      if (asked === undefined) {
        asked = { gathering: createGathering(), byState: new Map() };
        byLink.set(link, asked);
      }
      const { byState } = asked;
      if (byState.size === 0) void leave(link, asked);
      const waiting = byState.get(state);
      if (waiting === undefined) byState.set(state, [{ item, resolve, reject }]);
      else waiting.push({ item, resolve, reject });
    });
}
