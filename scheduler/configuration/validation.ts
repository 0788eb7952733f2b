// Validation of kube-scheduler's configuration, with its messages.
import type { Problem } from "../../api/errors.ts";
import { validateQualifiedName } from "../../api/names.ts";
import { duplicate, each, inRange, invalid, type Outcome, required, together } from "../../api/problems.ts";
import { isExtended } from "../../api/resource-names.ts";
import type { ExtenderConfig } from "../extenders/extender-config.ts";
import {
  type KubeSchedulerConfiguration,
  type KubeSchedulerProfile,
  electionTimes,
  type LeaderElectionConfig,
  millisecondsOf,
  type PluginConfig,
  type PluginSet,
} from "./configuration.ts";
import { validateArgs } from "./validate-args.ts";
import { extensionPoints } from "./schema.ts";

/** Several problems as one message, as Go joins errors. */
export function joined(problems: readonly Problem[]): string {
  const messages = problems.map(({ path, message }) => `${path}: ${message}`);
  return messages.length === 1 ? messages[0]! : `[${messages.join(", ")}]`;
}

function validateElection(election: LeaderElectionConfig, path: string): readonly Problem[] {
  const { leaderElect = true, resourceLock = "leases" } = election;
  const { leaseDuration, renewDeadline, retryPeriod } = electionTimes(election);
  if (!leaderElect) return [];
  const isZero = (duration: string): boolean => millisecondsOf(duration) <= 0;
  const positive = "must be greater than zero";
  return together(
    isZero(leaseDuration) && invalid(`${path}.leaseDuration`, leaseDuration, positive),
    isZero(renewDeadline) && invalid(`${path}.renewDeadline`, renewDeadline, positive),
    isZero(retryPeriod) && invalid(`${path}.retryPeriod`, retryPeriod, positive),
    // The value shown is kube-scheduler's.
    millisecondsOf(leaseDuration) <= millisecondsOf(renewDeadline) &&
      invalid(`${path}.leaseDuration`, renewDeadline, "must be greater than `RenewDeadline`"),
    resourceLock !== "leases" && invalid(`${path}.resourceLock`, resourceLock, 'resourceLock value must be "leases"'),
  );
}

const validatePercentage = (percentage: number | undefined, path: string): readonly Problem[] =>
  inRange(percentage, path, 0, 100, "not in valid range [0-100]");

/** Plugins of old versions. */
const removedPlugins: readonly string[] = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"];
const removed = (name: string | undefined, path: string): Problem | false =>
  removedPlugins.includes(name ?? "") &&
  invalid(
    path,
    name,
    'was invalid in version "v1" (KubeSchedulerConfiguration is version "kubescheduler.config.k8s.io/v1")',
  );

function validatePluginConfig(config: readonly PluginConfig[], path: string): readonly Problem[] {
  return each(config, path, ({ name, args = {} }, at, i) =>
    together(
      config.slice(0, i).some((other) => other.name === name) && duplicate(at, name),
      removed(name, at),
      // Checked when the plugin is made, as kube-scheduler does.
      name !== "NodeResourcesFit" && validateArgs(name ?? "", args, `${at}.args`),
    ),
  );
}

function validateProfile(profile: KubeSchedulerProfile, path: string): readonly Problem[] {
  const { schedulerName, percentageOfNodesToScore, plugins = {}, pluginConfig = [] } = profile;
  return together(
    !schedulerName && required(`${path}.schedulerName`),
    validatePercentage(percentageOfNodesToScore, `${path}.percentageOfNodesToScore`),
    extensionPoints.flatMap((point) =>
      each(plugins[point]?.enabled, `${path}.plugins.${point}.enabled`, ({ name }, at) => removed(name, at)),
    ),
    validatePluginConfig(pluginConfig, `${path}.pluginConfig`),
  );
}

const goSet = ({ enabled, disabled }: PluginSet): object => {
  const listed = (all: PluginSet["enabled"]): object | null =>
    all?.map(({ name = "", weight = 0 }) => ({ Name: name, Weight: weight })) ?? null;
  return { Enabled: listed(enabled), Disabled: listed(disabled) };
};
/** One queue serves all profiles. */
function validateQueueSort(profiles: readonly KubeSchedulerProfile[], path: string): readonly Problem[] {
  const [first = {}, ...others] = profiles.map(({ plugins }) => plugins?.queueSort);
  const enabled = first.enabled?.length ?? 0;
  const canon = JSON.stringify(goSet(first));
  return together(
    enabled > 1 &&
      invalid(`${path}[0].plugins.queueSort.Enabled`, enabled, "only one queue sort plugin can be enabled"),
    others.flatMap((set = {}, i) =>
      JSON.stringify(goSet(set)) === canon
        ? []
        : [invalid(`${path}[${i + 1}].plugins.queueSort`, goSet(set), "must be the same for all profiles")],
    ),
  );
}

function validateProfiles(profiles: readonly KubeSchedulerProfile[]): readonly Problem[] {
  const validated = each(profiles, "profiles", (profile, at, i) =>
    together(
      validateProfile(profile, at),
      // The value that kube-scheduler shows is an object without fields.
      profiles.slice(0, i).some((other) => other.schedulerName === profile.schedulerName) &&
        duplicate(`${at}.schedulerName`, {}),
    ),
  );
  return together(validated, validateQueueSort(profiles, "profiles"));
}

function validateManagedName(name: string, path: string): Outcome {
  const problems = validateQualifiedName(name, path);
  if (problems.length > 0) return problems;
  return !isExtended(name) && invalid(path, name, "is an invalid extended resource name");
}

function validateExtenders(extenders: readonly ExtenderConfig[], path: string): readonly Problem[] {
  const binders = extenders.filter(({ bindVerb }) => bindVerb).length;
  const seen = new Set<string>();
  return together(
    each(extenders, path, ({ prioritizeVerb, weight = 0, managedResources }, at) =>
      together(
        prioritizeVerb && weight <= 0 && invalid(`${at}.weight`, weight, "must have a positive weight applied to it"),
        each(managedResources, `${at}.managedResources`, ({ name = "" }, item) => {
          const isRepeated = seen.has(name);
          seen.add(name);
          return together(
            validateManagedName(name, `${item}.name`),
            isRepeated && invalid(`${item}.name`, name, "duplicate extender managed resource name"),
          );
        }),
      ),
    ),
    binders > 1 &&
      invalid(path, `found ${binders} extenders implementing bind`, "only one extender can implement bind"),
  );
}

/** All problems of a configuration. Throws for durations that are none. */
export function validateConfiguration(configuration: KubeSchedulerConfiguration): readonly Problem[] {
  const { parallelism = 16, leaderElection = {}, percentageOfNodesToScore, profiles, extenders = [] } = configuration;
  const { podInitialBackoffSeconds: initial = 1, podMaxBackoffSeconds: max = 10, clientConnection } = configuration;
  for (const { httpTimeout = "0s" } of extenders) millisecondsOf(httpTimeout);
  return together(
    (clientConnection?.burst ?? 0) < 0 &&
      invalid("clientConnection.burst", clientConnection?.burst, "must be non-negative"),
    validateElection(leaderElection, "leaderElection"),
    parallelism <= 0 && invalid("parallelism", parallelism, "should be an integer value greater than zero"),
    validateProfiles(profiles),
    validatePercentage(percentageOfNodesToScore, "percentageOfNodesToScore"),
    initial <= 0 && invalid("podInitialBackoffSeconds", initial, "must be greater than 0"),
    max < initial && invalid("podMaxBackoffSeconds", max, "must be greater than or equal to PodInitialBackoffSeconds"),
    validateExtenders(extenders, "extenders"),
  );
}
