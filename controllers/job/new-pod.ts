// A new pod of a job, and its name. Pure.
import type { Container, Job, Pod } from "../../api/generated/types.ts";
import { childName, hashName } from "../../api/hash.ts";
import { type Draft, ownedBy } from "../../api/meta.ts";
import {
  failureCountAnnotation,
  hasLimitPerIndex,
  ignoredCountAnnotation,
  ignoredIndexFailures,
  indexAnnotation,
  indexFailures,
  trackingFinalizer,
} from "./pods.ts";
import { meaningOf } from "./policies.ts";

/** A name is a label of at most 63 characters, of which the last five are generated. */
const longestPrefix = 58;

/** What a name depends on: a retry of the same decision gets the same name, a replacement another. */
export interface Names {
  readonly job: Job;
  /** Whether a pod of that name exists, of whatever owner. */
  readonly isTaken: (name: string) => boolean;
  /** Deletions seen of the job's pods. */
  readonly deletions: number;
}

const free = ({ isTaken }: Names, nameOf: (slot: number) => string, from = 0): readonly [string, number] => {
  for (let slot = from; ; slot++) if (!isTaken(nameOf(slot))) return [nameOf(slot), slot];
};

/** Names of new pods of a job without indexes. */
export function newNames(names: Names, count: number): readonly string[] {
  const result: string[] = [];
  for (let slot = 0; result.length < count; slot++) {
    const [name, used] = free(names, (n) => childName(names.job.metadata, n, names.deletions), slot);
    result.push(name);
    slot = used;
  }
  return result;
}

/** `<job>-<index>-<5 letters>`. */
export function nameOfIndex(names: Names, index: number): string {
  const { name, uid } = names.job.metadata;
  const suffix = `-${index}-`;
  const prefix = `${name.slice(0, longestPrefix - suffix.length)}${suffix}`;
  return free(names, (n) => `${prefix}${hashName(`${uid}/${index}/${n}/${names.deletions}`, 5)}`)[0];
}

const indexVariable = {
  name: "JOB_COMPLETION_INDEX",
  valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: `metadata.labels['${indexAnnotation}']` } },
};
const withIndexVariable = (c: Container): Container =>
  c.env?.some(({ name }) => name === indexVariable.name) ? c : { ...c, env: [...(c.env ?? []), indexVariable] };

/** A pod of the job. */
export function podOf(job: Job, name: string): Draft<Pod> {
  const { metadata: { labels, annotations, finalizers = [] } = {}, spec } = job.spec.template;
  return {
    kind: "Pod",
    metadata: {
      ...{ name, namespace: job.metadata.namespace, labels, ownerReferences: [ownedBy(job)] },
      ...(annotations && { annotations }),
      finalizers: [...new Set([...finalizers, trackingFinalizer])],
    },
    spec: spec!,
  };
}

/** The failures of an index, as annotations of its next pod. */
function failureAnnotations(job: Job, lastFailed: Pod | undefined): Readonly<Record<string, string>> {
  if (!hasLimitPerIndex(job)) return {};
  if (lastFailed === undefined) return { [failureCountAnnotation]: "0" };
  const { counts } = meaningOf(job, lastFailed);
  const ignored = ignoredIndexFailures(lastFailed) + (counts ? 0 : 1);
  return {
    [failureCountAnnotation]: String(indexFailures(lastFailed) + (counts ? 1 : 0)),
    ...(ignored > 0 && { [ignoredCountAnnotation]: String(ignored) }),
  };
}

/** A pod of one index. `lastFailed` is the pod it replaces. */
export function podOfIndex(job: Job, name: string, index: number, lastFailed: Pod | undefined): Draft<Pod> {
  const { metadata, spec, ...pod } = podOf(job, name);
  const mark = { [indexAnnotation]: String(index) };
  return {
    ...pod,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...mark },
      annotations: { ...metadata.annotations, ...mark, ...failureAnnotations(job, lastFailed) },
    },
    spec: {
      ...spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: spec.containers.map(withIndexVariable),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(withIndexVariable) }),
    },
  };
}
