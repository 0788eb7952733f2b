// The choice of devices compared with a plain one, which tries every combination and then reads the rules.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Device, DeviceClaim, DeviceConstraint, DeviceRequest, Node } from "../../../api/generated/types.ts";
import { parseQuantity } from "../../../api/quantity.ts";
import { allocatedDevices } from "../../../scheduler/devices/allocated.ts";
import { idOf, poolsOn, sliceIndex } from "../../../scheduler/devices/pools.ts";
import { demandsOf } from "../../../scheduler/devices/requests.ts";
import { chooseDevices } from "../../../scheduler/devices/search.ts";
import { deviceClaim, deviceClass, driver, slice } from "./devices.ts";

const node = { metadata: { name: "n1" }, spec: {}, status: {} } as unknown as Node;
const models = ["a", "b"] as const;
const taint = { key: "broken", effect: "NoSchedule" } as const;
const shared = [{ name: "memory", counters: { slots: { value: "3" } } }];

const device: fc.Arbitrary<Omit<Device, "name">> = fc
  .record({
    model: fc.option(fc.constantFrom(...models), { nil: undefined }),
    memory: fc.constantFrom("4", "8"),
    isShared: fc.boolean(),
    slots: fc.constantFrom(0, 1, 2),
    isTainted: fc.constantFrom(false, false, false, true),
  })
  .map(({ model, memory, isShared, slots, isTainted }) => ({
    ...(model && { attributes: { model: { string: model } } }),
    capacity: { memory: { value: memory } },
    ...(isShared && { allowMultipleAllocations: true }),
    ...(slots > 0 && { consumesCounters: [{ counterSet: "memory", counters: { slots: { value: String(slots) } } }] }),
    ...(isTainted && { taints: [taint] }),
  }));

const requested = fc
  .record({
    count: fc.constantFrom(1, 1, 2),
    model: fc.option(fc.constantFrom(...models), { nil: undefined }),
    memory: fc.option(fc.constantFrom("2", "4", "6"), { nil: undefined }),
    tolerates: fc.boolean(),
  })
  .map(({ count, model, memory, tolerates }) => ({
    ...{ deviceClassName: "gpus", allocationMode: "ExactCount" as const, count },
    ...(model && {
      selectors: [{ cel: { expression: `device.attributes["${driver}"].?model.orValue("") == "${model}"` } }],
    }),
    ...(memory && { capacity: { requests: { memory } } }),
    ...(tolerates && { tolerations: [{ operator: "Exists" as const }] }),
  }));
const request = (name: string): fc.Arbitrary<DeviceRequest> =>
  fc.oneof(
    requested.map((exactly) => ({ name, exactly })),
    fc.tuple(requested, requested).map(([first, second]) => ({
      name,
      firstAvailable: [
        { ...first, name: "one" },
        { ...second, name: "two" },
      ],
    })),
  );
const constraint: fc.Arbitrary<DeviceConstraint> = fc.constantFrom(
  { matchAttribute: `${driver}/model` },
  { matchAttribute: `${driver}/model`, requests: ["r0"] },
  { distinctAttribute: `${driver}/model` },
);
const claim: fc.Arbitrary<DeviceClaim> = fc
  .record({
    first: request("r0"),
    second: fc.option(request("r1"), { nil: undefined }),
    constraint: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, constraint),
  })
  .map(({ first, second, constraint: only }) => ({
    requests: second ? [first, second] : [first],
    constraints: only ? [only] : [],
  }));

/** A device for a request, both by their place. */
interface Pick {
  readonly claim: number;
  readonly request: string;
  readonly alternative: string;
  readonly device: Device;
  readonly demand: {
    readonly memory: string | undefined;
    readonly tolerates: boolean;
    readonly model: string | undefined;
  };
}
const nano = (text: string): bigint => parseQuantity(text)!.nano;
const sum = (numbers: readonly bigint[]): bigint => numbers.reduce((a, b) => a + b, 0n);
const modelOf = (d: Device): string | undefined => d.attributes?.model?.string;
const slotsOf = (d: Device): number => Number(d.consumesCounters?.[0]?.counters.slots?.value ?? 0);

/** Every rule, read on a complete choice. */
function isValid(
  picks: readonly Pick[],
  claims: readonly DeviceClaim[],
  taken: ReadonlySet<string>,
  devices: readonly Device[],
) {
  const chosen = [...new Set(picks.map((p) => p.device))];
  const users = (d: Device): readonly Pick[] => picks.filter((p) => p.device === d);
  const slots = sum(devices.filter((d) => taken.has(d.name) || chosen.includes(d)).map((d) => BigInt(slotsOf(d))));
  if (chosen.some((d) => slotsOf(d) > 0) && slots > 3n) return false;
  for (const d of chosen) {
    if (taken.has(d.name)) return false;
    if (!d.allowMultipleAllocations && users(d).length > 1) return false;
    const all = nano(d.capacity!.memory!.value);
    if (sum(users(d).map(({ demand }) => (demand.memory ? nano(demand.memory) : all))) > all) return false;
  }
  for (const { device: d, demand } of picks) {
    if (d.taints && !demand.tolerates) return false;
    if (demand.model && modelOf(d) !== demand.model) return false;
  }
  return claims.every(({ constraints = [] }, c) =>
    constraints.every(({ matchAttribute, requests = [] }) => {
      const concerned = picks.filter((p) => p.claim === c && (requests.length === 0 || requests.includes(p.request)));
      const found = concerned.map((p) => modelOf(p.device));
      const kinds = new Set(found).size;
      return !found.includes(undefined) && (matchAttribute ? kinds <= 1 : kinds === found.length);
    }),
  );
}

function* subsets<T>(items: readonly T[], size: number, from = 0): Iterable<readonly T[]> {
  if (size === 0) yield [];
  else
    for (let i = from; i < items.length; i++)
      for (const rest of subsets(items, size - 1, i + 1)) yield [items[i]!, ...rest];
}

/** Every complete choice, in the order in which alternatives and devices are listed. */
function* choices(
  claims: readonly DeviceClaim[],
  devices: readonly Device[],
  done: readonly Pick[] = [],
): Iterable<readonly Pick[]> {
  const places = claims.flatMap(({ requests = [] }, c) => requests.map((r) => ({ claim: c, request: r })));
  const next = places[new Set(done.map((p) => `${p.claim}/${p.request}`)).size];
  if (!next) {
    yield done;
    return;
  }
  const { name, exactly, firstAvailable = [] } = next.request;
  for (const alternative of exactly ? [{ ...exactly, name }] : firstAvailable) {
    const expression = alternative.selectors?.[0]?.cel?.expression;
    const demand = {
      memory: alternative.capacity?.requests?.memory,
      tolerates: alternative.tolerations !== undefined,
      model: expression?.match(/== "(.)"/)?.[1],
    };
    for (const set of subsets(devices, alternative.count!)) {
      const more = set.map((d) => ({
        claim: next.claim,
        request: name,
        alternative: alternative.name,
        device: d,
        demand,
      }));
      yield* choices(claims, devices, [...done, ...more]);
    }
  }
}

test("devices are chosen as by the reference implementation", () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(device, { minLength: 2, maxLength: 4 }),
      fc.array(fc.nat(3), { maxLength: 1 }),
      fc.array(claim, { minLength: 1, maxLength: 2 }),
      (drafts, takenIndexes, specs) => {
        const devices = drafts.map((d, i) => ({ ...d, name: `gpu-${i}` }));
        const names = takenIndexes.flatMap((i) => devices[i]?.name ?? []);
        const slices = [
          slice("a", { pool: { name: "n1", resourceSliceCount: 2 }, nodeName: "n1", sharedCounters: shared }),
          slice("n1", { pool: { resourceSliceCount: 2 }, devices }),
        ];
        const claims = specs.map((spec, i) => deviceClaim(`c${i}`, spec));
        const classOf = () => deviceClass("gpus");
        const inUse = allocatedDevices(
          names.map((name) => ({ devices: { results: [{ request: "x", driver, pool: "n1", device: name }] } })),
        );
        const chosen = chooseDevices(
          claims.map((c) => ({ demands: demandsOf(c, classOf), constraints: c.spec.devices!.constraints! })),
          poolsOn(node, sliceIndex(slices)),
          node,
          inUse,
        );
        let expected: readonly Pick[] | undefined;
        for (const choice of choices(specs, devices)) {
          if (!isValid(choice, specs, new Set(names), devices)) continue;
          expected = choice;
          break;
        }
        expect(chosen?.flatMap((c) => c.map((one) => one.device.id))).toEqual(
          expected?.map((p) => idOf(driver, "n1", p.device.name)),
        );
        if (chosen) found++;
      },
    ),
    { seed: 36, numRuns: 1_000 },
  );
  expect(found).toBeGreaterThan(150);
});
