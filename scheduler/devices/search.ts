// The choice of devices for the claims of a pod on one node: every combination in a fixed order, until one satisfies
// all requests and constraints. Source: KEP-4381 (structured parameters).
import { keyOf } from "../../api/meta.ts";
import type { DeviceConstraint, Node } from "../../api/generated/types.ts";
import type { AllocatedDevices } from "./allocated.ts";
import { type Consumed, consumptionOf, hasCapacity, plus } from "./capacity.ts";
import { type Constraint, constraintOf } from "./constraints.ts";
import { counterAccounts } from "./counters.ts";
import { isAccessible, type Pool, type PoolDevice } from "./pools.ts";
import { type DeviceDemand, isMatch, toleratesTaints } from "./requests.ts";

/** A claim whose devices are to be chosen. */
export interface ClaimToAllocate {
  readonly demands: readonly (readonly DeviceDemand[])[];
  readonly constraints: readonly DeviceConstraint[];
}
/** A device that was chosen. */
export interface Choice {
  readonly demand: DeviceDemand;
  readonly device: PoolDevice;
  /** Of a device that is shared. */
  readonly consumed?: Readonly<Record<string, string>>;
}
/** The search took too many steps: another node may be easier. */
export class SearchTimeout extends Error {}

/** So many devices can be allocated to one claim. */
const mostDevices = 32;
/** Steps of one search: Kubernetes stops after ten seconds. */
const mostSteps = 200_000;

/** `tooMany`: whatever is chosen before, the claim would have more devices than it can. */
type Outcome = "found" | "none" | "tooMany";

/** The devices that a demand for all of them means on this node. */
function allFor(demand: DeviceDemand, pools: readonly Pool[], node: Node, { consumed }: AllocatedDevices) {
  const wrong = pools.find(({ isIncomplete, problem }) => isIncomplete || problem !== undefined);
  if (wrong) {
    const state = wrong.isIncomplete ? "being updated" : "invalid";
    const what = `asks for all devices, but resource pool ${wrong.id} is currently ${state}`;
    throw new Error(`claim ${keyOf(demand.of)}, request ${demand.name.split("/").at(-1)}: ${what}`);
  }
  return pools
    .flatMap(({ devices }) => devices)
    .filter(
      (device) =>
        isMatch(device, demand) &&
        isAccessible(device, node) &&
        hasCapacity(device.device, demand.capacity, consumed.get(device.id)),
    );
}

class Search {
  private readonly choices: Choice[][];
  private readonly constraints: readonly (readonly Constraint[])[];
  private readonly counters;
  private readonly takenBy = new Map<string, number[]>();
  private readonly consumed = new Map<string, Consumed>();
  private readonly all = new Map<DeviceDemand, readonly PoolDevice[]>();
  private readonly usable: readonly PoolDevice[];
  private steps = 0;
  private readonly claims: readonly ClaimToAllocate[];
  private readonly node: Node;
  private readonly allocated: AllocatedDevices;

  constructor(claims: readonly ClaimToAllocate[], pools: readonly Pool[], node: Node, allocated: AllocatedDevices) {
    this.claims = claims;
    this.node = node;
    this.allocated = allocated;
    this.choices = claims.map(() => []);
    this.constraints = claims.map(({ constraints }) => constraints.map(constraintOf));
    this.counters = counterAccounts(allocated);
    this.usable = pools
      .filter(({ isIncomplete, problem }) => !isIncomplete && problem === undefined)
      .flatMap(({ devices }) => devices);
    for (const demand of claims.flatMap(({ demands }) => demands.flat()))
      if (demand.count === "All") this.all.set(demand, allFor(demand, pools, node, allocated));
  }

  run(): readonly (readonly Choice[])[] | undefined {
    return this.fromRequest(0, 0) === "found" ? this.choices : undefined;
  }

  /** Chooses for this request and all behind it. */
  private fromRequest(claim: number, request: number): Outcome {
    if (++this.steps > mostSteps) throw new SearchTimeout();
    if (claim >= this.claims.length) return "found";
    const alternatives = this.claims[claim]!.demands[request];
    if (!alternatives) return this.fromRequest(claim + 1, 0) === "found" ? "found" : "none";
    let outcome: Outcome = "tooMany";
    for (const demand of alternatives) {
      const next = this.fromDevice(claim, request, demand, 0, 0);
      if (next === "found") return next;
      if (next === "none") outcome = next;
    }
    return outcome;
  }

  /** Chooses the devices of a demand from its n-th on, of those behind `start`, so that no set is tried twice. */
  private fromDevice(claim: number, request: number, demand: DeviceDemand, n: number, start: number): Outcome {
    if (++this.steps > mostSteps) throw new SearchTimeout();
    const all = this.all.get(demand);
    const count = all?.length ?? (demand.count as number);
    if (all?.length === 0) return "none";
    if (n >= count) return this.fromRequest(claim, request + 1);
    if (this.choices[claim]!.length + count - n > mostDevices) return "tooMany";
    const candidates = all ?? this.usable;
    for (let i = all ? n : start; i < (all ? n + 1 : candidates.length); i++) {
      const device = candidates[i]!;
      const giveBack = this.take(claim, demand, device, all !== undefined);
      if (!giveBack) continue;
      const outcome = this.fromDevice(claim, request, demand, n + 1, i + 1);
      if (outcome === "found") return outcome;
      giveBack();
      if (outcome === "tooMany") return outcome;
    }
    return "none";
  }

  private isFree({ id }: PoolDevice, { adminAccess }: DeviceDemand, claim: number): boolean {
    const taken = this.takenBy.get(id) ?? [];
    return adminAccess ? !taken.includes(claim) : !this.allocated.ids.has(id) && taken.length === 0;
  }

  /** Takes a device, and returns how to give it back; nothing when it cannot be taken. */
  private take(claim: number, demand: DeviceDemand, chosen: PoolDevice, isNeeded: boolean): (() => void) | undefined {
    const { id, device } = chosen;
    if (!this.isFree(chosen, demand, claim)) return undefined;
    if (!isNeeded && !(isMatch(chosen, demand) && isAccessible(chosen, this.node))) return undefined;
    const before = this.consumed.get(id);
    if (!hasCapacity(device, demand.capacity, this.allocated.consumed.get(id), before)) return undefined;
    const isShared = device.allowMultipleAllocations === true;
    const isCounted = device.consumesCounters && !(isShared && (before || this.allocated.consumed.has(id)));
    if (isCounted && !this.counters.take(chosen)) return undefined;
    const undo = isCounted ? [() => this.counters.giveBack(chosen)] : [];
    const fail = (): undefined => {
      for (const step of undo.toReversed()) step();
    };
    if (!toleratesTaints(device, demand)) return fail();
    for (const constraint of this.constraints[claim]!) {
      if (!constraint.add(demand.names, chosen)) {
        fail();
        if (!isNeeded) return undefined;
        const why = `cannot add device ${id} because a claim constraint would not be satisfied`;
        throw new Error(`claim ${keyOf(demand.of)}, request ${demand.name.split("/").at(-1)}: ${why}`);
      }
      undo.push(() => constraint.remove(demand.names));
    }
    undo.push(isShared ? this.consume(chosen, demand, before) : this.occupy(id, claim));
    const consumed = isShared ? consumptionOf(device, demand.capacity) : undefined;
    this.choices[claim]!.push({ demand, device: chosen, ...(consumed && { consumed }) });
    undo.push(() => this.choices[claim]!.pop());
    return fail;
  }

  private occupy(id: string, claim: number): () => void {
    const taken = this.takenBy.get(id) ?? [];
    this.takenBy.set(id, [...taken, claim]);
    return () => this.takenBy.set(id, taken);
  }

  private consume({ id, device }: PoolDevice, { capacity }: DeviceDemand, before: Consumed | undefined): () => void {
    this.consumed.set(id, plus(before, consumptionOf(device, capacity)));
    return () => (before ? this.consumed.set(id, before) : this.consumed.delete(id));
  }
}

/**
 * The devices of each claim, or nothing when the node cannot have them all. Throws what is wrong with a claim, a class
 * or their selectors, which holds for every node, and {@link SearchTimeout}.
 */
export const chooseDevices = (
  claims: readonly ClaimToAllocate[],
  pools: readonly Pool[],
  node: Node,
  allocated: AllocatedDevices,
): readonly (readonly Choice[])[] | undefined => new Search(claims, pools, node, allocated).run();
