import { EXIT, UsageError } from '../../core/errors.ts';
import { suggest } from '../../core/wording/suggest.ts';
import { makeEffects } from '../../host/real-effects.ts';
import { loadPrices, PRICES_FILE } from '../../input/job/load-prices.ts';
import { listModel } from '../../money/price-list.ts';
import { pricesAsOf } from '../../money/price-overrides.ts';
import { MODELS_LISTED, TIERED_MODELS } from '../../money/tier-table.ts';
import { renderModelPrices, renderPriceList } from '../render/render-prices.ts';
import { paintFor, print, printJson } from '../say.ts';

export interface PricesFlags {
  readonly json?: boolean;
  readonly priceAsOf?: string;
}

/** `rowmill prices [MODEL]`: which price is used and why. Custom prices are those of the working directory. */
export async function prices(model: string | undefined, flags: PricesFlags): Promise<number> {
  const cwd = process.cwd();
  const own = await loadPrices(cwd, cwd);
  const day = flags.priceAsOf ?? makeEffects().clock().toISOString().slice(0, 10);
  const ownModels = own.map((row) => row.model).filter((name) => !name.endsWith('*'));
  const known = [...new Set([...ownModels, ...TIERED_MODELS.map(exampleOf)])];
  const models = (model === undefined ? known : [model]).flatMap((name) => listModel(own, name, day) ?? []);
  if (model !== undefined && models.length === 0) {
    const hint = suggest(model, known) || `; ${MODELS_LISTED}`;
    throw new UsageError(`no price is known for ${model} on ${day}${hint}\nSet one in ${PRICES_FILE}, next to the job file`, {
      code: 'unknown_price',
    });
  }
  if (flags.json === true) printJson({ schema: 'rowmill.prices/1', day, pricesAsOf, customPrices: own.length, models });
  else {
    const paint = paintFor(process.stdout);
    const [first] = models;
    print(model === undefined || first === undefined ? renderPriceList(models, day, paint) : renderModelPrices(first, day, paint));
  }
  return EXIT.done;
}

/** Fine-tuned models are priced by their base model: any of its names stands for all. */
function exampleOf(pricedAs: string): string {
  return pricedAs.startsWith('ft:') ? `${pricedAs}:…` : pricedAs;
}
