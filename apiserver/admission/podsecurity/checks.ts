// Which checks a level has in which version, and what a pod violates of them. Pure.
import * as baseline from "./baseline.ts";
import type { Level, LevelVersion } from "./levels.ts";
import * as restricted from "./restricted.ts";
import type { Check, PodTemplate, Violation } from "./violations.ts";

/** A check, by the minor versions from which on it has another form. */
interface VersionedCheck {
  readonly versions: readonly (readonly [since: number, Check])[];
  /** The check of the level baseline that it takes the place of. */
  readonly replaces?: keyof typeof baselineChecks;
}

// In both tables the order is that of the messages.
const baselineChecks = {
  appArmorProfile: { versions: [[0, baseline.appArmorProfile]] },
  capabilities: { versions: [[0, baseline.capabilities]] },
  hostNamespaces: { versions: [[0, baseline.hostNamespaces]] },
  hostPathVolumes: { versions: [[0, baseline.hostPathVolumes]] },
  hostPorts: { versions: [[0, baseline.hostPorts]] },
  hostProbesAndLifecycle: { versions: [[34, baseline.hostProbesAndLifecycle]] },
  privileged: { versions: [[0, baseline.privileged]] },
  procMount: {
    versions: [
      [0, baseline.procMount],
      [35, baseline.procMountOutsideUserNamespace],
    ],
  },
  seLinuxOptions: {
    versions: [
      [0, baseline.seLinuxOptions],
      [31, baseline.seLinuxOptionsWithEngines],
    ],
  },
  seccompProfile: {
    versions: [
      [0, baseline.seccompAnnotations],
      [19, baseline.seccompProfile],
    ],
  },
  sysctls: { versions: baseline.sysctls },
  windowsHostProcess: { versions: [[0, baseline.windowsHostProcess]] },
} satisfies Readonly<Record<string, Omit<VersionedCheck, "replaces">>>;

const restrictedChecks: Readonly<Record<string, VersionedCheck>> = {
  allowPrivilegeEscalation: {
    versions: [
      [8, restricted.allowPrivilegeEscalation],
      [25, restricted.unlessWindows(restricted.allowPrivilegeEscalation)],
    ],
  },
  capabilities: {
    versions: [
      [22, restricted.capabilities],
      [25, restricted.unlessWindows(restricted.capabilities)],
    ],
    replaces: "capabilities",
  },
  procMount: { versions: [[35, baseline.procMount]], replaces: "procMount" },
  restrictedVolumes: { versions: [[0, restricted.restrictedVolumes]], replaces: "hostPathVolumes" },
  runAsNonRoot: {
    versions: [
      [0, restricted.runAsNonRoot],
      [35, restricted.unlessInUserNamespace(restricted.runAsNonRoot)],
    ],
  },
  runAsUser: {
    versions: [
      [23, restricted.runAsUser],
      [35, restricted.unlessInUserNamespace(restricted.runAsUser)],
    ],
  },
  seccompProfile: {
    versions: [
      [19, restricted.requiredSeccompProfile],
      [25, restricted.unlessWindows(restricted.requiredSeccompProfile)],
    ],
    replaces: "seccompProfile",
  },
};

/** The last version in which a check changed. Later ones are the same. */
const lastChange = Math.max(
  ...[...Object.values(baselineChecks), ...Object.values(restrictedChecks)].flatMap(({ versions }) =>
    versions.map(([since]) => since),
  ),
);

const inVersion = ({ versions }: VersionedCheck, version: number): Check | undefined =>
  versions.findLast(([since]) => since <= version)?.[1];

function checksAt(level: Exclude<Level, "privileged">, version: number): readonly Check[] {
  const added = level === "baseline" ? [] : Object.values(restrictedChecks).filter((c) => inVersion(c, version));
  const replaced: readonly (string | undefined)[] = added.map(({ replaces }) => replaces);
  const kept = Object.entries(baselineChecks).flatMap(([id, check]) => (replaced.includes(id) ? [] : [check]));
  return [...kept, ...added].flatMap((check) => inVersion(check, version) ?? []);
}

const every = (level: Exclude<Level, "privileged">): readonly (readonly Check[])[] =>
  Array.from({ length: lastChange + 1 }, (_, version) => checksAt(level, version));
const checks = { baseline: every("baseline"), restricted: every("restricted") };

/** What a pod violates of a level in a version, in the order of the messages. */
export function violationsOf({ level, version }: LevelVersion, pod: PodTemplate): readonly Violation[] {
  if (level === "privileged") return [];
  const known = version === "latest" ? lastChange : Math.min(version, lastChange);
  return checks[level][known]!.flatMap((check) => check(pod) ?? []);
}

/** `privileged, hostPort`. */
export const reasons = (violations: readonly Violation[]): string => violations.map(({ reason }) => reason).join(", ");
/** The same with details in parentheses. */
export const details = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === "" ? reason : `${reason} (${detail})`)).join(", ");
