// kube-scheduler's configuration file: what is refused, in the words that kube-scheduler v1.36 printed for the same
// files, and the plugins that profiles get.
import { describe, expect, test } from "vitest";
import { parseSchedulerConfig, readSchedulerConfig } from "../../../cli/scheduler-config.ts";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/meta.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import { place } from "../../../scheduler/place.ts";
import type { SchedulerPlugin } from "../../../scheduler/framework.ts";
import { configuredPlugins, electionOf, schedulerOptions } from "../../../scheduler/configuration/settings.ts";
import { virtualClock } from "../../sim/virtual-clock.ts";

const head = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
const profile = (rest: string): string => `${head}profiles: [{schedulerName: a, ${rest}}]`;
const args = (plugin: string, value: string): string => profile(`pluginConfig: [{name: ${plugin}, args: ${value}}]`);
const making = "initializing profiles: creating profile for scheduler name a: ";
const part =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

test.each<[string, string, string]>([
  ["no kind", "\n", "Object 'Kind' is missing in '\n'"],
  [
    "no version",
    "kind: KubeSchedulerConfiguration\n",
    "Object 'apiVersion' is missing in 'kind: KubeSchedulerConfiguration\n'",
  ],
  [
    "another kind",
    "apiVersion: v1\nkind: Pod\n",
    'no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
  ],
  [
    "an old version",
    "apiVersion: kubescheduler.config.k8s.io/v1beta3\nkind: KubeSchedulerConfiguration\n",
    'no kind "KubeSchedulerConfiguration" is registered for version "kubescheduler.config.k8s.io/v1beta3" in scheme "pkg/runtime/scheme.go:111"',
  ],
  ["an unknown field", `${head}foo: bar`, 'strict decoding error: unknown field "foo"'],
  [
    "unknown fields within",
    profile("foo: 1, plugins: {score: {enabled: [{name: X}], bar: 1}}"),
    'strict decoding error: unknown field "profiles[0].foo", unknown field "profiles[0].plugins.score.bar"',
  ],
  [
    "a field twice",
    `${head}percentageOfNodesToScore: 5\npercentageOfNodesToScore: 6`,
    'strict decoding error: yaml: unmarshal errors:\n  line 4: key "percentageOfNodesToScore" already set in map',
  ],
  [
    "a number for a name",
    `${head}profiles: [{schedulerName: 5}]`,
    "json: cannot unmarshal number into Go struct field KubeSchedulerProfile.profiles.schedulerName of type string",
  ],
  [
    "a text for a number",
    `${head}percentageOfNodesToScore: x`,
    "json: cannot unmarshal string into Go struct field KubeSchedulerConfiguration.percentageOfNodesToScore of type int32",
  ],
  [
    "a map for a list",
    `${head}profiles: {a: 1}`,
    "json: cannot unmarshal object into Go struct field KubeSchedulerConfiguration.profiles of type []v1.KubeSchedulerProfile",
  ],
  [
    "a weight that is none",
    profile("plugins: {filter: {enabled: [{name: NodeName, weight: x}]}}"),
    "json: cannot unmarshal string into Go struct field Plugin.profiles.plugins.filter.enabled.weight of type int32",
  ],
  [
    "names twice and none",
    `${head}profiles: [{schedulerName: a},{schedulerName: a}, {}]`,
    "[profiles[1].schedulerName: Duplicate value: {}, profiles[2].schedulerName: Required value]",
  ],
  [
    "numbers out of range",
    `${head}percentageOfNodesToScore: 101\npodInitialBackoffSeconds: 0\npodMaxBackoffSeconds: -1`,
    "[percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100], podInitialBackoffSeconds: Invalid value: 0: must be greater than 0, podMaxBackoffSeconds: Invalid value: -1: must be greater than or equal to PodInitialBackoffSeconds]",
  ],
  [
    "leader election",
    `${head}leaderElection: {leaderElect: true, leaseDuration: 5s, renewDeadline: 10s, resourceLock: endpoints}`,
    '[leaderElection.leaseDuration: Invalid value: "10s": must be greater than `RenewDeadline`, leaderElection.resourceLock: Invalid value: "endpoints": resourceLock value must be "leases"]',
  ],
  [
    "different queues",
    `${head}profiles: [{schedulerName: a, plugins: {queueSort: {enabled: [{name: PrioritySort}]}}},{schedulerName: b}]`,
    'profiles[1].plugins.queueSort: Invalid value: {"Enabled":null,"Disabled":null}: must be the same for all profiles',
  ],
  [
    "extenders",
    `${head}extenders: [{urlPrefix: 'http://x', prioritizeVerb: p}, {urlPrefix: 'http://x', bindVerb: p, managedResources: [{name: foo},{name: a.b/c},{name: a.b/c}]},{urlPrefix: 'http://x', bindVerb: p, httpTimeout: 5s}]`,
    '[extenders[0].weight: Invalid value: 0: must have a positive weight applied to it, extenders[1].managedResources[0].name: Invalid value: "foo": is an invalid extended resource name, extenders[1].managedResources[2].name: Invalid value: "a.b/c": duplicate extender managed resource name, extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind]',
  ],
  [
    "no duration",
    `${head}extenders: [{urlPrefix: 'http://x', httpTimeout: 5q}]`,
    'time: unknown unit "q" in duration "5q"',
  ],
  [
    "a number for a duration",
    `${head}extenders: [{urlPrefix: 'http://x', httpTimeout: 5}]`,
    "json: cannot unmarshal number into Go struct field Extender.extenders.httpTimeout of type string",
  ],
])("refused: %s", (_, text, message) => {
  expect(() => parseSchedulerConfig(text)).toThrow(new Error(message));
});

test.each<[string, string, string]>([
  ["an unknown plugin at a point", "plugins: {score: {enabled: [{name: X}]}}", 'ScorePlugin "X" does not exist'],
  [
    "an unknown plugin at all points",
    "plugins: {multiPoint: {enabled: [{name: X}]}}",
    'PreFilterPlugin "X" does not exist',
  ],
  [
    "a plugin at a point it has not",
    "plugins: {score: {enabled: [{name: NodeName}]}}",
    'plugin "NodeName" does not extend ScorePlugin plugin',
  ],
  [
    "twice at all points",
    "plugins: {multiPoint: {enabled: [{name: NodeName},{name: NodeName}]}}",
    'plugin "NodeName" already registered as "FilterPlugin"',
  ],
  [
    "twice at one point",
    "plugins: {score: {enabled: [{name: TaintToleration},{name: TaintToleration}]}}",
    'plugin "TaintToleration" already registered as "ScorePlugin"',
  ],
  [
    "nothing that sorts",
    "plugins: {multiPoint: {disabled: [{name: '*'}]}}",
    'only one queue sort plugin required for profile with scheduler name "a", but got 0',
  ],
  [
    "nothing that binds",
    "plugins: {bind: {disabled: [{name: '*'}]}}",
    'at least one bind plugin is needed for profile with scheduler name "a"',
  ],
  [
    "an unknown strategy",
    "pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {type: Foo}}}]",
    'initializing plugin "NodeResourcesFit": scoringStrategy.type: Unsupported value: "Foo": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"',
  ],
  [
    "a wrong shape",
    "pluginConfig: [{name: NodeResourcesFit, args: {ignoredResources: ['a b'], ignoredResourceGroups: ['a/b'], scoringStrategy: {type: RequestedToCapacityRatio, resources: [{name: cpu, weight: 101}], requestedToCapacityRatio: {shape: [{utilization: 5, score: 11},{utilization: 1, score: 1}]}}}}]",
    `initializing plugin "NodeResourcesFit": [ignoredResources[0]: Invalid value: "a b": ${part}, ignoredResourceGroups[0]: Invalid value: "a/b": resource group name can't contain '/', scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100], scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 1: values must be sorted in increasing order, scoringStrategy.requestedToCapacityRatio.shape[0].score: Invalid value: 11: not in valid range [0, 10]]`,
  ],
])("no scheduler: %s", (_, rest, message) => {
  expect(() => parseSchedulerConfig(profile(rest))).toThrow(new Error(making + message));
});

const at = "profiles[0].pluginConfig[0].args";
test.each<[string, string, string, string]>([
  [
    "an unknown field",
    "NodeResourcesFit",
    "{foo: 1}",
    'strict decoding error: decoding .profiles[0].pluginConfig[0]: strict decoding error: decoding args for plugin NodeResourcesFit: strict decoding error: unknown field "foo"',
  ],
  [
    "a wrong type",
    "NodeResourcesFit",
    "{scoringStrategy: {type: 5}}",
    "decoding .profiles[0].pluginConfig[0]: decoding args for plugin NodeResourcesFit: json: cannot unmarshal number into Go struct field ScoringStrategy.scoringStrategy.type of type v1.ScoringStrategyType",
  ],
  [
    "an unknown kind",
    "NodeResourcesFit",
    "{kind: FooArgs, apiVersion: kubescheduler.config.k8s.io/v1}",
    'decoding .profiles[0].pluginConfig[0]: decoding args for plugin NodeResourcesFit: no kind "FooArgs" is registered for version "kubescheduler.config.k8s.io/v1" in scheme "pkg/runtime/scheme.go:111"',
  ],
  [
    "spread constraints",
    "PodTopologySpread",
    "{defaultConstraints: [{maxSkew: 0, topologyKey: 'a b', whenUnsatisfiable: X}]}",
    `[${at}.defaultingType: Invalid value: "System": when .defaultConstraints are not empty, ${at}.defaultConstraints[0].maxSkew: Invalid value: 0: not in valid range (0, inf), ${at}.defaultConstraints[0].topologyKey: Invalid value: "a b": ${part}, ${at}.defaultConstraints[0].whenUnsatisfiable: Unsupported value: "X": supported values: "DoNotSchedule", "ScheduleAnyway"]`,
  ],
  [
    "a weight of affinity",
    "InterPodAffinity",
    "{hardPodAffinityWeight: 101}",
    `${at}.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]`,
  ],
  [
    "no candidates",
    "DefaultPreemption",
    "{minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0}",
    `[${at}.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute, ${at}.minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as minCandidateNodesPercentage]`,
  ],
  [
    "a negative time",
    "VolumeBinding",
    "{bindTimeoutSeconds: -1}",
    `${at}.bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, should not be a negative value`,
  ],
  [
    "affinity without values",
    "NodeAffinity",
    "{addedAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}}}",
    `${at}.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty`,
  ],
  [
    "affinity by numbers",
    "NodeAffinity",
    "{addedAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists, values: [x]},{key: a, operator: Gt, values: [x]}]}]}}}",
    `[${at}.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Invalid value: ["x"]: values set must be empty for exists and does not exist, ${at}.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[1].values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer]`,
  ],
  [
    "no object",
    "NodeAffinity",
    "5",
    String.raw`decoding .profiles[0].pluginConfig[0]: decoding args for plugin NodeAffinity: couldn't get version/kind; json parse error: json: cannot unmarshal number into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`,
  ],
  [
    "weights of balance",
    "NodeResourcesBalancedAllocation",
    "{resources: [{name: cpu, weight: 2},{name: cpu}]}",
    `[${at}.resources[0].weight: Invalid value: 2: must be 1, ${at}.resources[1].name: Duplicate value: "cpu"]`,
  ],
])("refused arguments: %s", (_, plugin, value, message) => {
  expect(() => parseSchedulerConfig(args(plugin, value))).toThrow(new Error(message));
});

const pluginsOf = (rest: string): readonly SchedulerPlugin[] =>
  configuredPlugins(parseSchedulerConfig(profile(rest))).get("a")!;
const namesOf = (plugins: readonly SchedulerPlugin[], point: keyof SchedulerPlugin): string =>
  plugins
    .filter((plugin) => plugin[point])
    .map(({ name, weight }) => (point === "score" ? `${name}:${weight}` : name))
    .join(" ");
const allScores =
  "TaintToleration:3 NodeAffinity:2 NodeResourcesFit:1 PodTopologySpread:2 InterPodAffinity:2 DynamicResources:2 NodeResourcesBalancedAllocation:1 ImageLocality:1";
const allFilters =
  "NodeUnschedulable NodeName TaintToleration NodeAffinity NodePorts NodeResourcesFit VolumeRestrictions NodeVolumeLimits VolumeBinding VolumeZone PodTopologySpread InterPodAffinity DynamicResources NodeDeclaredFeatures";

test.each<[string, string, keyof SchedulerPlugin, string]>([
  ["Kubernetes' own scores by default", "", "score", allScores],
  ["Kubernetes' own filters by default", "", "filter", allFilters],
  [
    "one score with its weight",
    "plugins: {score: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit, weight: 5}]}}",
    "score",
    "NodeResourcesFit:5",
  ],
  [
    "its filter stays",
    "plugins: {score: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit, weight: 5}]}}",
    "filter",
    allFilters,
  ],
  [
    "a weight in place",
    "plugins: {score: {enabled: [{name: ImageLocality, weight: 9}]}}",
    "score",
    allScores.replace("ImageLocality:1", "ImageLocality:9"),
  ],
  [
    "enabled anew without a weight, it is 1",
    "plugins: {multiPoint: {enabled: [{name: TaintToleration}]}}",
    "score",
    allScores.replace("TaintToleration:3", "TaintToleration:1"),
  ],
  [
    "disabled at all points",
    "plugins: {multiPoint: {disabled: [{name: TaintToleration}, {name: Unknown}]}}",
    "filter",
    allFilters.replace(" TaintToleration", ""),
  ],
  [
    "disabled everywhere, enabled at one point",
    "plugins: {multiPoint: {disabled: [{name: TaintToleration}]}, filter: {enabled: [{name: TaintToleration}]}}",
    "score",
    allScores.replace("TaintToleration:3 ", ""),
  ],
  [
    "the order of filters",
    "plugins: {filter: {enabled: [{name: VolumeZone}]}}",
    "filter",
    `VolumeZone ${allFilters.replace(" VolumeZone", "")}`,
  ],
  [
    "only what is named",
    "plugins: {multiPoint: {disabled: [{name: '*'}], enabled: [{name: PrioritySort},{name: NodeName},{name: DefaultBinder}]}}",
    "filter",
    "NodeName",
  ],
])("profile: %s", (_, rest, point, names) => expect(namesOf(pluginsOf(rest), point)).toBe(names));

const node = (name: string, allocatable: object, labels = {}): Node =>
  ({
    metadata: { name, labels },
    spec: {},
    status: { allocatable: { pods: "10", ...allocatable } },
  }) as unknown as Node;
const pod = (name: string, requests: object, spec: object = {}): Pod =>
  ({
    metadata: { name, namespace: "d", uid: name },
    spec: { containers: [{ name: "c", image: "a:1", resources: { requests } }], ...spec },
  }) as unknown as Pod;
/** Node "a" is half full, "b" is empty; "b" has more memory than processors, and the label. */
function placed(rest: string, requests: object): string | undefined {
  const cache = schedulerCache();
  cache.nodeSeen("a", node("a", { cpu: "4", memory: "4Gi" }));
  cache.nodeSeen("b", node("b", { cpu: "4", memory: "8Gi", "example.com/gpu": "1" }, { tier: "b" }));
  const there = pod("there", { cpu: "2", memory: "2Gi" }, { nodeName: "a" });
  cache.podSeen(keyOf(there), there);
  const placement = place(pod("p", requests), cache.snapshot(), pluginsOf(rest));
  return placement.outcome === "placed" ? placement.nodeName : undefined;
}
const small = { cpu: "1", memory: "1Gi" };
const strategy = (value: string): string =>
  `pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: ${value}}}]`;
const shaped = (points: string): string =>
  strategy(`{type: RequestedToCapacityRatio, requestedToCapacityRatio: {shape: [${points}]}}`);
const adding = (affinity: string): string => `pluginConfig: [{name: NodeAffinity, args: {addedAffinity: ${affinity}}}]`;
const onlyFit = "plugins: {score: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit}]}}";
test.each<[string, string, object, string | undefined]>([
  ["an empty node by default", "", small, "b"],
  ["a full one with MostAllocated", `${strategy("{type: MostAllocated}")}, ${onlyFit}`, small, "a"],
  [
    "as without a weight when it is 0",
    `${strategy("{type: LeastAllocated, resources: [{name: cpu, weight: 0}]}")}, ${onlyFit}`,
    small,
    "b",
  ],
  [
    "a full one by its shape",
    `${shaped("{utilization: 0, score: 0},{utilization: 100, score: 10}")}, ${onlyFit}`,
    small,
    "a",
  ],
  [
    "an empty one by its shape",
    `${shaped("{utilization: 0, score: 10},{utilization: 100, score: 0}")}, ${onlyFit}`,
    small,
    "b",
  ],
  [
    "a node with the affinity of the profile",
    adding(
      "{requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: tier, operator: DoesNotExist}]}]}}",
    ),
    small,
    "a",
  ],
  ["none without the resource", "", { "example.com/gpu": "2" }, undefined],
  [
    "any where the resource is ignored",
    "pluginConfig: [{name: NodeResourcesFit, args: {ignoredResources: [example.com/gpu]}}]",
    { "example.com/gpu": "2" },
    "b",
  ],
  [
    "any where its group is ignored",
    "pluginConfig: [{name: NodeResourcesFit, args: {ignoredResourceGroups: [example.com]}}]",
    { "example.com/gpu": "2" },
    "b",
  ],
  [
    "none where another group is ignored",
    "pluginConfig: [{name: NodeResourcesFit, args: {ignoredResourceGroups: [com]}}]",
    { "example.com/gpu": "2" },
    undefined,
  ],
  [
    "by the balance of chosen resources",
    "pluginConfig: [{name: NodeResourcesBalancedAllocation, args: {resources: [{name: cpu}]}}], plugins: {score: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesBalancedAllocation}]}}",
    { cpu: "1" },
    "a",
  ],
  [
    "by the balance of processors and memory",
    "plugins: {score: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesBalancedAllocation}]}}",
    { cpu: "1", memory: "2Gi" },
    "b",
  ],
  ["by name alone when nothing scores", "plugins: {score: {disabled: [{name: '*'}]}}", small, "a"],
])("arguments: %s", (_, rest, requests, expected) => expect(placed(rest, requests)).toBe(expected));

test("the example is valid, and its second profile fills nodes", () => {
  const plugins = configuredPlugins(readSchedulerConfig("manifests/examples/scheduler-config.yaml"));
  expect([...plugins.keys()]).toEqual(["default-scheduler", "packing"]);
  expect(namesOf(plugins.get("packing")!, "score")).toBe(
    "TaintToleration:3 NodeAffinity:2 NodeResourcesFit:5 InterPodAffinity:2 DynamicResources:2 ImageLocality:1",
  );
});
test("a file that does not exist", () => {
  expect(() => readSchedulerConfig("missing.yaml")).toThrow(
    "the scheduler's configuration missing.yaml does not exist",
  );
});

describe("settings", () => {
  const clock = virtualClock();
  const optionsOf = (text: string) => schedulerOptions(parseSchedulerConfig(head + text), clock);

  test("without profiles there is the default one", () => {
    expect(optionsOf("")).toMatchObject({ name: "default-scheduler", profiles: {} });
  });
  test("profiles by name, with their own percentage", () => {
    const options = optionsOf(
      "percentageOfNodesToScore: 10\nprofiles: [{schedulerName: a},{schedulerName: b, percentageOfNodesToScore: 50}]",
    );
    expect(options).toMatchObject({ name: "a", percentageOfNodesToScore: 10, percentages: { b: 50 } });
    expect(Object.keys(options.profiles ?? {})).toEqual(["b"]);
  });
  test("back-off", () => {
    expect(optionsOf("podInitialBackoffSeconds: 2\npodMaxBackoffSeconds: 4").backoff).toEqual({
      initialBackoffMs: 2_000,
      maxBackoffMs: 4_000,
    });
  });
  test("extenders that can be ignored are called last", () => {
    const { extenders = [] } = optionsOf(
      "extenders: [{urlPrefix: 'http://a', ignorable: true},{urlPrefix: 'http://b'}]",
    );
    expect(extenders.map(({ name }) => name)).toEqual(["http://b", "http://a"]);
  });
  test.each<[string, string, object | undefined]>([
    ["none", "leaderElection: {leaderElect: false}", undefined],
    ["as it is", "", {}],
    [
      "another lease",
      "leaderElection: {resourceName: mine, resourceNamespace: space}",
      { name: "mine", namespace: "space" },
    ],
    [
      "one time, and Kubernetes' others",
      "leaderElection: {leaseDuration: 20s}",
      { leaseDurationMs: 20_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 },
    ],
  ])("election: %s", (_, text, expected) => expect(electionOf(parseSchedulerConfig(head + text))).toEqual(expected));
});
