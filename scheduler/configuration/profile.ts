// The plugins of a profile of kube-scheduler's configuration: which of them take part, at which points and with which
// arguments. Source: the Kubernetes page "Scheduler Configuration"; KEP-2891 (multiPoint).
import type { SchedulerPlugin } from "../framework.ts";
import { type PluginArguments, pluginsWith } from "../plugins/default.ts";
import type { ScoringStrategy, WeightedResource } from "../plugins/resource-scores.ts";
import { systemConstraints } from "../plugins/topology-spread.ts";
import type { KubeSchedulerProfile, PluginArgs, PluginSet, ResourceSpec } from "./configuration.ts";
import { type ExtensionPoint, extensionPoints } from "./schema.ts";
import { durationOf, validateArgs } from "./validate-args.ts";
import { joined } from "./validation.ts";

/** What a point calls. PreFilter prepares Filter and the binding stages, PreScore prepares Score. */
const methods: Readonly<Record<ExtensionPoint, readonly (keyof SchedulerPlugin)[]>> = {
  preFilter: ["preFilter"],
  filter: ["preFilter", "filter", "addPod", "removePod", "sign", "remedies"],
  postFilter: ["postFilter"],
  reserve: ["preFilter", "reserve", "unreserve"],
  preScore: [],
  score: ["preScore", "score", "normalizeScore", "sign"],
  preBind: ["preFilter", "preBind"],
  bind: ["bind"],
  postBind: ["postBind"],
  permit: ["permit"],
  preEnqueue: ["preEnqueue"],
  queueSort: ["queueSort"],
};
const always: readonly (keyof SchedulerPlugin)[] = ["name", "events", "reads", "scoresByCluster", "prefiltersReserved"];

/** The points of kube-scheduler's plugins, where those of the same name here have others. */
const points: Readonly<Record<string, readonly string[]>> = {
  NodeUnschedulable: ["filter"],
  NodeName: ["filter"],
  TaintToleration: ["filter", "preScore", "score"],
  VolumeBinding: ["preFilter", "filter", "reserve", "preScore", "score", "preBind"],
  DynamicResources: ["preEnqueue", "preFilter", "filter", "postFilter", "reserve", "score", "preBind"],
  DefaultPreemption: ["postFilter", "preEnqueue"],
  ImageLocality: ["score"],
};
const extendsPoint = (plugin: SchedulerPlugin, point: ExtensionPoint): boolean =>
  (points[plugin.name] ?? Object.keys(plugin)).includes(point);

const typeOf = (point: ExtensionPoint): string => `${point.charAt(0).toUpperCase()}${point.slice(1)}Plugin`;

type Argument<Name extends keyof PluginArgs> = PluginArgs[Name];
const argsOf = <Name extends keyof PluginArgs>({ pluginConfig = [] }: KubeSchedulerProfile, name: Name) =>
  (pluginConfig.find((config) => config.name === name)?.args ?? {}) as Argument<Name>;

const weighted = (resources: readonly ResourceSpec[] | undefined): readonly WeightedResource[] | undefined =>
  resources?.map(({ name = "", weight }) => ({ name, weight: weight || 1 }));
function scoringOf({ scoringStrategy }: Argument<"NodeResourcesFit">): ScoringStrategy {
  const { type = "LeastAllocated", resources, requestedToCapacityRatio } = scoringStrategy ?? {};
  const shape = requestedToCapacityRatio?.shape?.map(({ utilization = 0, score = 0 }) => ({ utilization, score }));
  return { type, resources: weighted(resources), shape };
}

/** kube-scheduler's defaults where the file says nothing. */
function argumentsOf(profile: KubeSchedulerProfile, ignoredByExtenders: readonly string[]): PluginArguments {
  const fit = argsOf(profile, "NodeResourcesFit");
  const spread = argsOf(profile, "PodTopologySpread");
  const preemption = argsOf(profile, "DefaultPreemption");
  return {
    ...argsOf(profile, "InterPodAffinity"),
    ...argsOf(profile, "NodeAffinity"),
    scoring: scoringOf(fit),
    ignoredResources: {
      // As in kube-scheduler, those of extenders replace the list.
      names: ignoredByExtenders.length > 0 ? ignoredByExtenders : (fit.ignoredResources ?? []),
      groups: fit.ignoredResourceGroups ?? [],
    },
    isBalanced: true,
    balancedResources: weighted(argsOf(profile, "NodeResourcesBalancedAllocation").resources),
    defaultConstraints: spread.defaultingType === "List" ? (spread.defaultConstraints ?? []) : systemConstraints,
    bindTimeoutMs: 1_000 * (argsOf(profile, "VolumeBinding").bindTimeoutSeconds ?? 600),
    deviceBindingTimeoutMs: durationOf(argsOf(profile, "DynamicResources").bindingTimeout),
    preemption: {
      minCandidateNodesPercentage: preemption.minCandidateNodesPercentage ?? 10,
      minCandidateNodesAbsolute: preemption.minCandidateNodesAbsolute ?? 100,
    },
  };
}

interface Enabled {
  readonly name: string;
  /** 1 where it is not stated. */
  readonly weight: number;
}
const enabledIn = ({ enabled = [] }: PluginSet): readonly Enabled[] =>
  enabled.map(({ name = "", weight }) => ({ name, weight: weight || 1 }));
const disabledIn = ({ disabled = [] }: PluginSet): ReadonlySet<string> =>
  new Set(disabled.map(({ name = "" }) => name));

/** The default plugins without those disabled; one that is enabled anew stays in its place, others follow. */
function multiPointOf(defaults: readonly SchedulerPlugin[], set: PluginSet): readonly Enabled[] {
  const [enabled, disabled] = [enabledIn(set), disabledIn(set)];
  const kept = disabled.has("*") ? [] : defaults.filter(({ name }) => !disabled.has(name));
  const replaced = new Set<Enabled>();
  const list = kept.map(({ name, weight = 1 }) => {
    const own = enabled.findLast((other) => other.name === name);
    if (own) replaced.add(own);
    return own ?? { name, weight };
  });
  return [...list, ...enabled.filter((plugin) => !replaced.has(plugin))];
}

/** The plugins at one point in order: first those named there and at multiPoint, then the others of multiPoint. */
function namesAt(
  point: ExtensionPoint,
  set: PluginSet,
  multiPoint: readonly Enabled[],
  known: ReadonlyMap<string, SchedulerPlugin>,
): readonly string[] {
  const own = new Set<string>();
  for (const { name } of enabledIn(set)) {
    const plugin = known.get(name);
    if (!plugin) throw new Error(`${typeOf(point)} "${name}" does not exist`);
    if (!extendsPoint(plugin, point)) throw new Error(`plugin "${name}" does not extend ${typeOf(point)} plugin`);
    if (own.has(name)) throw new Error(`plugin "${name}" already registered as "${typeOf(point)}"`);
    own.add(name);
  }
  const disabled = disabledIn(set);
  if (disabled.has("*")) return [...own];
  const shared = new Set<string>();
  for (const { name } of multiPoint) {
    const plugin = known.get(name);
    if (!plugin) throw new Error(`${typeOf(point)} "${name}" does not exist`);
    if (!extendsPoint(plugin, point) || disabled.has(name)) continue;
    if (shared.has(name)) throw new Error(`plugin "${name}" already registered as "${typeOf(point)}"`);
    shared.add(name);
  }
  return [...own.intersection(shared), ...shared.difference(own), ...own.difference(shared)];
}

/** One list for all points: the order of Filter decides, since it chooses the reason that is reported. */
function inOrder(names: ReadonlySet<string>, filters: readonly string[]): readonly string[] {
  const next = filters.values();
  return [...names].map((name) => (filters.includes(name) ? next.next().value! : name));
}

function partOf(plugin: SchedulerPlugin, own: readonly ExtensionPoint[], weight: number): SchedulerPlugin {
  const kept = new Set([...always, ...own.flatMap((point) => methods[point])]);
  const part = Object.entries(plugin).filter(([name]) => kept.has(name as keyof SchedulerPlugin));
  return { ...(Object.fromEntries(part) as { name: string }), weight };
}

/** Throws in kube-scheduler's words when its plugins cannot make a scheduler. */
function checked(schedulerName: string, at: ReadonlyMap<ExtensionPoint, readonly string[]>): void {
  const sorts = at.get("queueSort")!.length;
  const profile = `profile with scheduler name "${schedulerName}"`;
  if (sorts !== 1) throw new Error(`only one queue sort plugin required for ${profile}, but got ${sorts}`);
  if (at.get("bind")!.length === 0) throw new Error(`at least one bind plugin is needed for ${profile}`);
}

/** The plugins of a validated profile. Throws when they cannot make a scheduler. */
function pluginsOf(profile: KubeSchedulerProfile, ignoredByExtenders: readonly string[]): readonly SchedulerPlugin[] {
  const { plugins: sets = {}, schedulerName = "" } = profile;
  const all = pluginsWith(argumentsOf(profile, ignoredByExtenders));
  const known = new Map(all.map((plugin) => [plugin.name, plugin]));
  const multiPoint = multiPointOf(all, sets.multiPoint ?? {});
  const isUsed = [multiPoint, ...extensionPoints.map((point) => enabledIn(sets[point] ?? {}))].some((list) =>
    list.some(({ name }) => name === "NodeResourcesFit"),
  );
  const problems = isUsed ? validateArgs("NodeResourcesFit", argsOf(profile, "NodeResourcesFit"), "") : [];
  if (problems.length > 0) throw new Error(`initializing plugin "NodeResourcesFit": ${joined(problems)}`);
  const at = new Map(
    extensionPoints.map((point) => [point, namesAt(point, sets[point] ?? {}, multiPoint, known)] as const),
  );
  checked(schedulerName, at);
  const weights = new Map([...multiPoint, ...enabledIn(sets.score ?? {})].map(({ name, weight }) => [name, weight]));
  const names = new Set([...multiPoint.map(({ name }) => name), ...[...at.values()].flat()]);
  return inOrder(names, at.get("filter")!).flatMap((name) => {
    const own = extensionPoints.filter((point) => at.get(point)!.includes(name));
    return own.length === 0 ? [] : [partOf(known.get(name)!, own, weights.get(name) ?? 1)];
  });
}

/** The plugins of all profiles, by scheduler name. Throws in kube-scheduler's words. */
export const pluginsByProfile = (
  profiles: readonly KubeSchedulerProfile[],
  ignoredByExtenders: readonly string[],
): ReadonlyMap<string, readonly SchedulerPlugin[]> =>
  new Map(
    profiles.map((profile) => {
      const name = profile.schedulerName ?? "";
      try {
        return [name, pluginsOf(profile, ignoredByExtenders)] as const;
      } catch (e) {
        throw new Error(`initializing profiles: creating profile for scheduler name ${name}: ${(e as Error).message}`);
      }
    }),
  );
