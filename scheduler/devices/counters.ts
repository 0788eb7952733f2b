// Counters that the devices of a pool share: a device can be allocated while what it consumes is left. KEP-4815.
import type { Device } from "../../api/generated/types.ts";
import { parseQuantity } from "../../api/quantity.ts";
import type { AllocatedDevices } from "./allocated.ts";
import type { Pool, PoolDevice } from "./pools.ts";

type Amounts = Map<string, bigint>;
const nanoOf = (text: string): bigint => parseQuantity(text)?.nano ?? 0n;
const counterId = (set: string, counter: string): string => `${set}/${counter}`;

function add(to: Amounts, { consumesCounters = [] }: Device, sign: 1n | -1n): void {
  for (const { counterSet, counters } of consumesCounters)
    for (const [name, { value }] of Object.entries(counters)) {
      const id = counterId(counterSet, name);
      to.set(id, (to.get(id) ?? 0n) + sign * nanoOf(value));
    }
}

/** What is left of the counters of a pool beside the devices that are allocated; less than nothing is possible. */
function leftIn({ counterSets, devices, elsewhere }: Pool, { ids, consumed }: AllocatedDevices): Amounts {
  const left: Amounts = new Map();
  for (const [set, counters] of counterSets)
    for (const [name, { value }] of Object.entries(counters)) left.set(counterId(set, name), nanoOf(value));
  for (const { id, device } of [...devices, ...elsewhere]) if (ids.has(id) || consumed.has(id)) add(left, device, -1n);
  return left;
}

export interface CounterAccounts {
  /** Takes what the device consumes, if all of it is left. */
  take(device: PoolDevice): boolean;
  giveBack(device: PoolDevice): void;
}

/** The counters of all pools while devices are chosen. */
export function counterAccounts(allocated: AllocatedDevices): CounterAccounts {
  const accounts = new Map<string, Amounts>();
  const accountOf = (pool: Pool): Amounts => {
    const known = accounts.get(pool.id) ?? leftIn(pool, allocated);
    accounts.set(pool.id, known);
    return known;
  };
  return {
    take({ device, pool }) {
      const left = accountOf(pool);
      add(left, device, -1n);
      if (left.values().every((amount) => amount >= 0n)) return true;
      add(left, device, 1n);
      return false;
    },
    giveBack: ({ device, pool }) => add(accountOf(pool), device, 1n),
  };
}
