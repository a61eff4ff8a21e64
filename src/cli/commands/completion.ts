import type { Command, Option } from 'commander';
import { EXIT } from '../../core/errors.ts';
import { listFiles } from '../list-files.ts';
import { printForPrograms } from '../say.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

type Suggest = (add: (value: string, description: string) => void) => void;

/** What a flag or an argument takes, by its name within `<>` or `[]`: files or words. */
const FILES: Readonly<Record<string, RegExp>> = {
  job: /\.(ya?ml|csv|tsv|jsonl?|ndjson)(\.gz)?$/i,
  // Of `init`.
  name: /\.(csv|tsv|jsonl?|ndjson|txt)(\.gz)?$/i,
  path: /./,
  file: /./,
  'column|file': /./,
  dir: /^$/,
  folder: /^$/,
};
const RUN_NAMES = ['last', 'prev'];

/** `rowmill completion SHELL`: prints the script with which a shell asks for completions. */
export async function completion(shell: Shell): Promise<number> {
  const script = await makeScript(shell);
  printForPrograms(shell === 'bash' ? mendBash(script) : script);
  return EXIT.done;
}

/** Replaces a function of the package bash-completion, which many machines lack: it reads the words typed so far. */
const WITHOUT_BASH_COMPLETION = `declare -F _get_comp_words_by_ref >/dev/null || _get_comp_words_by_ref() {
    cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD
}

`;

/** Typed words and file names are quoted: bash would execute a `$(…)` in them, and split names at blanks. */
const ASK_BASH = `local word typed=()
    for word in "\${words[@]:1}"; do typed+=("\${word//\\\\/}"); done
    out=$(rowmill complete -- "\${typed[@]}" 2>/dev/null)`;
const OFFER_BASH = `COMPREPLY=()
    for word in "\${completions[@]}"; do
        [[ -z "$word" ]] && continue
        printf -v word %q "$word"
        [[ "$word" == "$cur"* ]] && COMPREPLY+=("$word")
    done`;

function mendBash(script: string): string {
  const replace = (text: string, part: RegExp, by: string) => {
    if (!part.test(text)) throw new Error(`the completion script for bash has no ${part}`);
    return text.replace(part, () => by);
  };
  const asked = replace(script, /requestComp="rowmill complete.*?out=\$\(eval "\$requestComp" 2>\/dev\/null\)/s, ASK_BASH);
  const offered = replace(asked, /COMPREPLY=\( \$\(compgen -W .*\) \)/, OFFER_BASH);
  // Two programs with completions of this kind in one shell would refuse each other's constants.
  return `${WITHOUT_BASH_COMPLETION}${offered.replaceAll(/^readonly /gm, '')}`;
}

/** What the library prints; it cannot return it. */
async function makeScript(shell: Shell): Promise<string> {
  const { default: tab } = await import('@bomb.sh/tab');
  const { log } = console;
  let script = '';
  try {
    console.log = (text: string) => {
      script = text;
    };
    tab.setup('rowmill', 'rowmill', shell);
  } finally {
    console.log = log;
  }
  return script;
}

/** `rowmill complete -- WORDS`, called by those scripts: prints completions of the last word, one per line. */
export async function complete(words: readonly string[], program: Command): Promise<number> {
  const { RootCommand } = await import('@bomb.sh/tab');
  const root = new RootCommand();
  const typed = words.at(-1) ?? '';
  const help = program.createHelp();
  for (const command of help.visibleCommands(program)) {
    const shown = root.command(command.name(), command.description());
    for (const option of help.visibleOptions(command)) {
      const name = (option.long ?? '').replace(/^--/, '');
      if (!option.required && !option.optional) shown.option(name, option.description);
      else shown.option(name, option.description, suggestValues(option, typed), option.short?.replace(/^-/, '') ?? '');
    }
    for (const argument of command.registeredArguments) {
      const { argChoices } = argument;
      shown.argument(argument.name(), argChoices === undefined ? suggestFor(argument.name(), typed) : suggestWords(argChoices));
    }
  }
  root.parse([...words]);
  return EXIT.done;
}

function suggestValues(option: Option, typed: string): Suggest {
  if (option.argChoices !== undefined) return suggestWords(option.argChoices);
  return suggestFor(/[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? '', typed);
}

function suggestFor(name: string, typed: string): Suggest {
  if (['baseline', 'candidate', 'id'].includes(name)) return suggestWords(RUN_NAMES);
  const pattern = FILES[name];
  return pattern === undefined ? () => {} : suggestWords(listFiles(typed, pattern));
}

function suggestWords(words: readonly string[]): Suggest {
  return (add) => {
    for (const word of words) add(word, '');
  };
}
