// The policies that a namespace's labels name: a level and a version for each of the modes enforce, audit and warn
// (KEP-2579). Pure.
import type { Problem } from "../../../api/errors.ts";
import { invalid } from "../../../api/problems.ts";

const levels = ["privileged", "baseline", "restricted"] as const;
/** From the least strict to the strictest. */
export type Level = (typeof levels)[number];
/** A minor version of Kubernetes 1, whose rules apply. */
export type PolicyVersion = number | "latest";
export interface LevelVersion {
  readonly level: Level;
  readonly version: PolicyVersion;
}
const modes = ["enforce", "audit", "warn"] as const;
export type Mode = (typeof modes)[number];
/** What each mode applies. */
export type Policy = Readonly<Record<Mode, LevelVersion>>;

/** `restricted:v1.30`. */
export const showLevel = ({ level, version }: LevelVersion): string =>
  `${level}:${version === "latest" ? version : `v1.${version}`}`;

const privileged: LevelVersion = { level: "privileged", version: "latest" };
/** Nothing is restricted. */
export const privilegedPolicy: Policy = { enforce: privileged, audit: privileged, warn: privileged };

/** The sign says which of two levels is stricter; 0 when they are equal. */
export const compareLevels = (a: Level, b: Level): number => levels.indexOf(a) - levels.indexOf(b);

/** Whether every mode allows everything. */
export const isFullyPrivileged = (policy: Policy): boolean =>
  modes.every((mode) => policy[mode].level === "privileged");

export const isSameLevel = (a: LevelVersion, b: LevelVersion): boolean =>
  a.level === b.level && a.version === b.version;

/** Whether both decide alike: versions of the privileged level do not differ. */
export const isEquivalent = (a: Policy, b: Policy): boolean =>
  modes.every(
    (mode) => isSameLevel(a[mode], b[mode]) || (a[mode].level === "privileged" && b[mode].level === "privileged"),
  );

/** The level of this name, or a message. */
export const parseLevel = (text: string): { readonly level: Level } | { readonly wrong: string } => {
  const level = levels.find((name) => name === text);
  return level === undefined ? { wrong: `must be one of ${levels.join(", ")}` } : { level };
};

/** The version `latest` or `v1.x`, or a message. */
export const parseVersion = (text: string): { readonly version: PolicyVersion } | { readonly wrong: string } => {
  if (text === "latest") return { version: "latest" };
  const minor = /^v1\.(0|[1-9]\d*)$/.exec(text)?.[1];
  return minor === undefined || !Number.isSafeInteger(Number(minor))
    ? { wrong: 'must be "latest" or "v1.x"' }
    : { version: Number(minor) };
};

const prefix = "pod-security.kubernetes.io/";
/** The label with the level of a mode. */
export const levelLabel = (mode: Mode): string => prefix + mode;
/** The label with its version. */
export const versionLabel = (mode: Mode): string => `${prefix}${mode}-version`;
/** The prefix of annotations in audit events. */
export const annotationPrefix = prefix;

/** What is applied for a level that cannot be read: the strictest where it refuses, none where it only reports. */
const unreadable: Readonly<Record<Mode, Level>> = { enforce: "restricted", audit: "privileged", warn: "privileged" };

/** A policy, which is complete also when labels are wrong. */
export interface ParsedPolicy {
  readonly policy: Policy;
  readonly problems: readonly Problem[];
}

/** The policy of a namespace with these labels. Without a label the default holds. */
export function parsePolicy(labels: Readonly<Record<string, string>> | undefined, defaults: Policy): ParsedPolicy {
  if (!labels) return { policy: defaults, problems: [] };
  const problems: Problem[] = [];
  const wrong = (label: string, message: string): void =>
    void problems.push(invalid(`metadata.labels[${label}]`, labels[label], message));
  const levelOf = (mode: Mode, text: string | undefined): Level => {
    if (text === undefined) return defaults[mode].level;
    const parsed = parseLevel(text);
    if ("level" in parsed) return parsed.level;
    wrong(levelLabel(mode), parsed.wrong);
    return unreadable[mode];
  };
  const versionOf = (mode: Mode, text: string | undefined): PolicyVersion => {
    if (text === undefined) return defaults[mode].version;
    const parsed = parseVersion(text);
    if ("version" in parsed) return parsed.version;
    wrong(versionLabel(mode), parsed.wrong);
    return "latest";
  };
  const levelVersion = (mode: Mode): LevelVersion => ({
    level: levelOf(mode, labels[levelLabel(mode)]),
    version: versionOf(mode, labels[versionLabel(mode)]),
  });
  const [enforce, audit, warn] = [levelVersion("enforce"), levelVersion("audit"), levelVersion("warn")];
  return { policy: { enforce, audit, warn: impliedWarn(labels, { enforce, audit, warn }) }, problems };
}

/** A namespace that sets only a stricter level to enforce warns by it too, so that controllers show what will fail. */
function impliedWarn(labels: Readonly<Record<string, string>>, { enforce, warn }: Policy): LevelVersion {
  const text = labels[levelLabel("enforce")];
  const isEnforced = text !== undefined && "level" in parseLevel(text);
  if (!isEnforced || labels[levelLabel("warn")] !== undefined) return warn;
  if (compareLevels(enforce.level, warn.level) <= 0) return warn;
  return labels[versionLabel("warn")] === undefined ? enforce : { level: enforce.level, version: warn.version };
}
