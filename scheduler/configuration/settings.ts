// A validated configuration as what it sets: profiles, back-off, extenders, and leader election.
import type { ElectionOptions } from "../../machinery/lease-lock.ts";
import type { Clock } from "../../machinery/world.ts";
import type { ExtenderConfig } from "../extenders/extender-config.ts";
import { httpExtender, type Extender } from "../extenders/extender.ts";
import { extenderRequests } from "../extenders/http.ts";
import type { SchedulerPlugin } from "../framework.ts";
import type { SchedulerOptions } from "../scheduler.ts";
import { electionTimes, type KubeSchedulerConfiguration, millisecondsOf } from "./configuration.ts";
import { pluginsByProfile } from "./profile.ts";

/** The plugins of all profiles, by scheduler name. Throws, in kube-scheduler's words, when they make no scheduler. */
export function configuredPlugins({
  profiles,
  extenders = [],
}: KubeSchedulerConfiguration): ReadonlyMap<string, readonly SchedulerPlugin[]> {
  const ignored = extenders
    .flatMap(({ managedResources = [] }) => managedResources)
    .flatMap(({ name = "", ignoredByScheduler }) => (ignoredByScheduler ? [name] : []));
  return pluginsByProfile(profiles, ignored);
}

/** The clients of extenders; those that can be ignored are called last. */
function extendersOf(configs: readonly ExtenderConfig[], clock: Clock): readonly Extender[] {
  const all = configs.map((config) => httpExtender(config, extenderRequests(config, clock)));
  return [...all.filter(({ isIgnorable }) => !isIgnorable), ...all.filter(({ isIgnorable }) => isIgnorable)];
}

/** The options of a scheduler. Pods of profiles that are not in the configuration are left to other schedulers. */
export function schedulerOptions(configuration: KubeSchedulerConfiguration, clock: Clock): SchedulerOptions {
  const { profiles, extenders = [], percentageOfNodesToScore } = configuration;
  const { podInitialBackoffSeconds: initial = 1, podMaxBackoffSeconds: max = 10 } = configuration;
  const [[name, plugins] = ["", []], ...others] = configuredPlugins(configuration);
  const percentages = profiles.flatMap(({ schedulerName = "", percentageOfNodesToScore: share }) =>
    share === undefined ? [] : [[schedulerName, share] as const],
  );
  return {
    ...{ name, plugins, profiles: Object.fromEntries(others), percentageOfNodesToScore },
    percentages: Object.fromEntries(percentages),
    extenders: extendersOf(extenders, clock),
    backoff: { initialBackoffMs: 1_000 * initial, maxBackoffMs: 1_000 * max },
  };
}

/** What the file sets of leader election; undefined when there is to be none. */
export function electionOf({
  leaderElection = {},
}: Pick<KubeSchedulerConfiguration, "leaderElection">): Partial<ElectionOptions> | undefined {
  const { leaderElect = true, resourceName, resourceNamespace } = leaderElection;
  if (!leaderElect) return undefined;
  // One of the times alone may not go with those of a local cluster, so that the others are Kubernetes' then.
  const isTimed = leaderElection.leaseDuration ?? leaderElection.renewDeadline ?? leaderElection.retryPeriod;
  const { leaseDuration, renewDeadline, retryPeriod } = electionTimes(leaderElection);
  return {
    ...(resourceName && { name: resourceName }),
    ...(resourceNamespace && { namespace: resourceNamespace }),
    ...(isTimed !== undefined && {
      leaseDurationMs: millisecondsOf(leaseDuration),
      renewDeadlineMs: millisecondsOf(renewDeadline),
      retryPeriodMs: millisecondsOf(retryPeriod),
    }),
  };
}
