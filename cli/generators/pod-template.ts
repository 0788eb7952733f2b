// The pod specification within workloads, wherever a kind keeps it.
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly EnvVar[];
  readonly resources?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly serviceAccountName?: string;
}

type Json = Readonly<Record<string, unknown>>;

const templatePath = ["spec", "template", "spec"];
const paths: Readonly<Record<string, readonly string[]>> = {
  Pod: ["spec"],
  ReplicationController: templatePath,
  "Deployment.apps": templatePath,
  "ReplicaSet.apps": templatePath,
  "StatefulSet.apps": templatePath,
  "DaemonSet.apps": templatePath,
  "Job.batch": templatePath,
  "CronJob.batch": ["spec", "jobTemplate", "spec", "template", "spec"],
};

function pathIn({ apiVersion = "", kind }: ApiObject): readonly string[] {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  const path = paths[group === "" ? kind : `${kind}.${group}`];
  if (path) return path;
  throw new CliError(`the object is not a pod or does not have a pod template: *${version}.${kind}`);
}

const changedAt = (value: Json, [key, ...rest]: readonly string[], change: (value: unknown) => unknown): Json => ({
  ...value,
  [key!]: rest.length === 0 ? change(value[key!]) : changedAt((value[key!] ?? {}) as Json, rest, change),
});

/** The pod specification of an object. Throws CliError for kinds without one. */
export const podSpecOf = (object: ApiObject): PodSpec =>
  pathIn(object).reduce<unknown>((value, key) => (value as Json)[key], object) as PodSpec;

/** The object with another pod specification. Throws CliError for kinds without one. */
export const withPodSpec = (object: ApiObject, change: (spec: PodSpec) => PodSpec): ApiObject =>
  changedAt(object as unknown as Json, pathIn(object), (spec) => change(spec as PodSpec)) as unknown as ApiObject;

/** The specification with other containers, init containers included. */
export const withContainers = (spec: PodSpec, change: (container: Container) => Container): PodSpec => ({
  ...spec,
  ...(spec.initContainers && { initContainers: spec.initContainers.map(change) }),
  containers: spec.containers.map(change),
});

/** Whether a name matches a pattern in which `*` stands for any text. */
export const matchesName = (pattern: string, name: string): boolean =>
  new RegExp(`^${pattern.split("*").map(RegExp.escape).join(".*")}$`).test(name);
