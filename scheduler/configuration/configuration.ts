// kube-scheduler's configuration file as an object: decoded strictly, with defaults, and with errors in
// kube-scheduler's words. Source: the reference of kubescheduler.config.k8s.io/v1.
import type { NodeAffinity, TopologySpreadConstraint } from "../../api/generated/types.ts";
import { parseDuration } from "../../api/duration.ts";
import { decode } from "../../api/schema.ts";
import type { ExtenderConfig } from "../extenders/extender-config.ts";
import type { CandidateLimits } from "../plugins/preemption.ts";
import type { ScoringStrategy, ShapePoint } from "../plugins/resource-scores.ts";
import { argumentSchemas, configurationSchema, type ExtensionPoint } from "./schema.ts";

interface PluginReference {
  readonly name?: string;
  readonly weight?: number;
}
export interface PluginSet {
  readonly enabled?: readonly PluginReference[];
  readonly disabled?: readonly PluginReference[];
}
export interface ResourceSpec {
  readonly name?: string;
  readonly weight?: number;
}
/** The arguments of all plugins that have some. */
export interface PluginArgs {
  readonly DefaultPreemption: Partial<CandidateLimits>;
  readonly InterPodAffinity: {
    readonly hardPodAffinityWeight?: number;
    readonly ignorePreferredTermsOfExistingPods?: boolean;
  };
  readonly DynamicResources: { readonly filterTimeout?: string; readonly bindingTimeout?: string };
  readonly NodeAffinity: { readonly addedAffinity?: NodeAffinity };
  readonly NodeResourcesBalancedAllocation: { readonly resources?: readonly ResourceSpec[] };
  readonly NodeResourcesFit: {
    readonly ignoredResources?: readonly string[];
    readonly ignoredResourceGroups?: readonly string[];
    readonly scoringStrategy?: {
      readonly type?: ScoringStrategy["type"];
      readonly resources?: readonly ResourceSpec[];
      readonly requestedToCapacityRatio?: { readonly shape?: readonly ShapePoint[] };
    };
  };
  readonly PodTopologySpread: {
    readonly defaultConstraints?: readonly TopologySpreadConstraint[];
    readonly defaultingType?: "System" | "List";
  };
  readonly VolumeBinding: { readonly bindTimeoutSeconds?: number; readonly shape?: readonly ShapePoint[] };
}
export interface PluginConfig {
  readonly name?: string;
  /** Decoded as those of its plugin. */
  readonly args?: object;
}
export interface KubeSchedulerProfile {
  readonly schedulerName?: string;
  readonly percentageOfNodesToScore?: number;
  readonly plugins?: Readonly<Partial<Record<ExtensionPoint | "multiPoint", PluginSet>>>;
  readonly pluginConfig?: readonly PluginConfig[];
}
export interface LeaderElectionConfig {
  readonly leaderElect?: boolean;
  readonly leaseDuration?: string;
  readonly renewDeadline?: string;
  readonly retryPeriod?: string;
  readonly resourceLock?: string;
  readonly resourceName?: string;
  readonly resourceNamespace?: string;
}
export interface KubeSchedulerConfiguration {
  readonly apiVersion: string;
  readonly kind: string;
  readonly parallelism?: number;
  readonly leaderElection?: LeaderElectionConfig;
  readonly clientConnection?: { readonly burst?: number };
  readonly percentageOfNodesToScore?: number;
  readonly podInitialBackoffSeconds?: number;
  readonly podMaxBackoffSeconds?: number;
  readonly profiles: readonly KubeSchedulerProfile[];
  readonly extenders?: readonly ExtenderConfig[];
}

const apiVersion = "kubescheduler.config.k8s.io/v1";
const kind = "KubeSchedulerConfiguration";
const unregistered = (version: string, name: string): Error =>
  new Error(`no kind "${name}" is registered for version "${version}" in scheme "pkg/runtime/scheme.go:111"`);
const strict = (errors: readonly string[]): string => `strict decoding error: ${errors.join(", ")}`;
const unknownFields = (paths: readonly string[]): readonly string[] => paths.map((path) => `unknown field "${path}"`);

/** Runs a step; its error begins with the place. */
function within<T>(place: string, step: () => T): T {
  try {
    return step();
  } catch (e) {
    throw new Error(place + (e as Error).message);
  }
}

const goTypeMeta = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
/** An object, or nothing as an empty one. Throws for other values. */
function structOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || value === undefined) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  const type = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  throw new Error(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${type} into Go value of type ${goTypeMeta}`,
  );
}

/** The kind that arguments state must be that of their plugin. Throws otherwise. */
function checkArgsKind(name: string, args: Readonly<Record<string, unknown>>): void {
  const { apiVersion: version = apiVersion, kind: stated = `${name}Args` } = args;
  if (stated === `${name}Args` && version === apiVersion) return;
  const isKnown = version === apiVersion && [...argumentSchemas.keys()].some((other) => `${other}Args` === stated);
  if (!isKnown)
    throw new Error(`decoding args for plugin ${name}: ${unregistered(String(version), String(stated)).message}`);
  const group = apiVersion.slice(0, apiVersion.indexOf("/"));
  throw new Error(`args for plugin ${name} were not of type ${name}Args.${group}, got ${String(stated)}.${group}`);
}

/** The arguments of one plugin, and the errors that do not keep them from being read. Throws others. */
function decodeArgs({ name = "", args = {} }: PluginConfig): { readonly config: PluginConfig; unknown: string[] } {
  const schema = argumentSchemas.get(name);
  if (!schema) return { config: { name, args }, unknown: [] };
  const decoding = `decoding args for plugin ${name}: `;
  const object = within(decoding, () => structOf(args));
  checkArgsKind(name, object);
  const { value, unknown, wrong } = decode(schema, object);
  const [first] = wrong;
  if (first) throw new Error(decoding + first.read);
  const errors = unknownFields(unknown);
  return {
    config: { name, args: value as object },
    unknown: errors.length === 0 ? [] : [strict([decoding + strict(errors)])],
  };
}

function decodeProfiles(profiles: readonly KubeSchedulerProfile[], errors: string[]): readonly KubeSchedulerProfile[] {
  return profiles.map((profile, i) => {
    if (!profile.pluginConfig) return profile;
    const pluginConfig = profile.pluginConfig.map((entry, j) => {
      const at = `decoding .profiles[${i}].pluginConfig[${j}]: `;
      const { config, unknown } = within(at, () => decodeArgs(entry));
      errors.push(...unknown.map((error) => at + error));
      return config;
    });
    return { ...profile, pluginConfig };
  });
}

/** Decodes a parsed file. `text` is quoted where it has no kind; `repetitions` are fields set twice. Throws. */
export function decodeConfiguration(
  parsed: unknown,
  text: string,
  repetitions: readonly string[] = [],
): KubeSchedulerConfiguration {
  const object = structOf(parsed);
  if (!object["kind"]) throw new Error(`Object 'Kind' is missing in '${text}'`);
  if (!object["apiVersion"]) throw new Error(`Object 'apiVersion' is missing in '${text}'`);
  if (object["apiVersion"] !== apiVersion || object["kind"] !== kind)
    throw unregistered(String(object["apiVersion"]), String(object["kind"]));
  const { value, unknown, wrong } = decode(configurationSchema, object);
  const [first] = wrong;
  if (first) throw new Error(first.read);
  const decoded = value as KubeSchedulerConfiguration;
  const errors = [...repetitions, ...unknownFields(unknown)];
  const profiles = decodeProfiles(decoded.profiles ?? [{}], errors);
  if (errors.length > 0) throw new Error(strict(errors));
  const isSingle = profiles.length === 1;
  return {
    ...decoded,
    profiles: profiles.map((profile) => ({ ...(isSingle && { schedulerName: "default-scheduler" }), ...profile })),
  };
}

/** The times of leader election; kube-scheduler's where they are not set or zero. */
export function electionTimes({ leaseDuration, renewDeadline, retryPeriod }: LeaderElectionConfig) {
  const or = (duration: string | undefined, usual: string): string =>
    duration === undefined || millisecondsOf(duration) === 0 ? usual : duration;
  return {
    leaseDuration: or(leaseDuration, "15s"),
    renewDeadline: or(renewDeadline, "10s"),
    retryPeriod: or(retryPeriod, "2s"),
  };
}

/** A duration in milliseconds. Throws in Go's words. */
export function millisecondsOf(duration: string): number {
  const parsed = parseDuration(duration);
  if (typeof parsed === "number") return parsed;
  throw new Error(parsed.wrong);
}
