// Stateful sets: one in order, one in parallel with claims, which users resize and roll out.
import { controllerRevisions } from "../../../api/apps/controllerrevisions.ts";
import { statefulSets } from "../../../api/apps/statefulsets.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { isReady } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Pod, StatefulSet } from "../../../api/generated/types.ts";
import { controllerOf, type Draft, key } from "../../../api/meta.ts";
import type { Committed, Rule } from "../judge.ts";
import { isDeletedByController, readiness, staleMs } from "./readiness.ts";
import { createDefaultClass, storageComponent, storageKinds, storageRules, volumesLeft } from "./storage.ts";
import { oneOf, type Workload } from "./workload.ts";

const draft = (name: string, replicas: number, spec: object): Draft<StatefulSet> => ({
  kind: "StatefulSet",
  metadata: { name, namespace: "default" },
  spec: {
    ...{ replicas, serviceName: name, selector: { matchLabels: { app: name } }, ...spec },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "app:1" }] } },
  },
});
const storage = {
  podManagementPolicy: "Parallel",
  volumeClaimTemplates: [
    {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    },
  ],
  persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Delete" },
};

const ordinalOf = ({ metadata: { name } }: Pod): number => Number(name.slice(name.lastIndexOf("-") + 1));
const setOf = (committed: Committed, pod: Pod | undefined): StatefulSet | undefined =>
  pod && committed.withUid(statefulSets, controllerOf(pod)?.uid);
const isOrdered = ({ spec }: StatefulSet): boolean => spec.podManagementPolicy === "OrderedReady";
const upTo = (n: number): readonly number[] => Array.from({ length: Math.max(0, n) }, (_, i) => i);

const newestRevision = ({ metadata }: StatefulSet, committed: Committed): string | undefined =>
  committed
    .ownedBy(controllerRevisions, metadata.uid)
    .toSorted((a, b) => a.revision - b.revision)
    .at(-1)?.metadata.name;

function rules(): readonly Rule[] {
  const ready = readiness("StatefulSet", (pod) => pod.metadata.name);
  /** Sizes of each set, and when each was replaced by the next. */
  const sizes = new Map<string, { readonly size: number; readonly until: number }[]>();
  const resized: Rule<StatefulSet> = {
    name: "",
    kind: statefulSets,
    broken(set, before, { at }) {
      const { uid } = (set ?? before)!.metadata;
      if (before && before.spec.replicas !== set?.spec.replicas)
        sizes.set(uid, [...(sizes.get(uid) ?? []), { size: before.spec.replicas ?? 1, until: at }]);
      return undefined;
    },
  };
  const recentSizes = ({ metadata, spec }: StatefulSet, at: number): readonly number[] => [
    spec.replicas ?? 1,
    ...(sizes.get(metadata.uid) ?? []).filter(({ until }) => at - until < staleMs).map(({ size }) => size),
  ];
  const start: Rule<Pod> = {
    name: "started out of order",
    kind: pods,
    broken(pod, before, committed) {
      const set = before ? undefined : setOf(committed, pod);
      if (!pod || !set || !isOrdered(set)) return undefined;
      const waiting = upTo(ordinalOf(pod)).filter((i) => !ready.isRecent(`${set.metadata.name}-${i}`, committed.at));
      return waiting.length > 0 ? `${pod.metadata.name} before ${waiting.join()}` : undefined;
    },
  };
  const stop: Rule<Pod> = {
    name: "stopped out of order",
    kind: pods,
    broken(pod, before, committed) {
      const set = isDeletedByController(pod, before) ? setOf(committed, pod) : undefined;
      if (!pod || !set || !isOrdered(set)) return undefined;
      const ordinal = ordinalOf(pod);
      const isOutdated = pod.metadata.labels?.["controller-revision-hash"] !== newestRevision(set, committed);
      const above = committed
        .ownedBy(pods, set.metadata.uid)
        .map(ordinalOf)
        .filter((other) => other > ordinal);
      const isAllowed = (size: number): boolean =>
        ordinal >= size
          ? above.length === 0
          : isOutdated &&
            upTo(size - ordinal - 1).every((i) =>
              ready.isRecent(`${set.metadata.name}-${ordinal + 1 + i}`, committed.at),
            );
      return recentSizes(set, committed.at).some(isAllowed) ? undefined : `${pod.metadata.name} before ${above.join()}`;
    },
  };
  return [ready.rule, resized, start, stop];
}

/** What keeps a set from being as desired. */
function faultOf(set: StatefulSet, committed: Committed): string | undefined {
  const { name, uid } = set.metadata;
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  const found = committed.ownedBy(pods, uid);
  const isDone = (pod: Pod): boolean =>
    isReady(pod) &&
    (ordinalOf(pod) < partition ||
      pod.metadata.labels?.["controller-revision-hash"] === newestRevision(set, committed));
  const done = found.filter(isDone).map(ordinalOf).toSorted();
  const desired = upTo(set.spec.replicas ?? 1);
  if (done.join() !== desired.join() || found.length !== desired.length)
    return `${name}: ${done.join()} of ${found.map((p) => p.metadata.name).join()}, ${desired.length} desired`;
  const claims = committed
    .all(persistentVolumeClaims)
    .filter((claim) => claim.metadata.name.startsWith(`data-${name}-`));
  const wanted = set.spec.volumeClaimTemplates ? desired.length : 0;
  return claims.length === wanted ? undefined : `${name}: ${claims.length} claims of ${wanted}`;
}

export const statefulSetWorkload: Workload = {
  kinds: [controllerRevisions, ...storageKinds],
  component: storageComponent,
  async begin(user) {
    await createDefaultClass(user);
    await user.create(statefulSets, draft("ordered", 3, {}));
    await user.create(statefulSets, draft("parallel", 2, storage));
  },
  async meddle(user, random) {
    const set = oneOf((await user.list(statefulSets, { namespace: "default" })).items, random);
    if (set === undefined) return;
    const merge = (spec: object): Promise<unknown> =>
      user.patch(statefulSets, key("default", set.metadata.name), { type: "merge", patch: { spec } });
    const dice = random.next();
    const version = String(Math.floor(random.next() * 3));
    if (dice < 0.45) await merge({ template: { metadata: { annotations: { version } } } });
    else if (dice < 0.9) await merge({ replicas: Math.floor(random.next() * 5) });
    else await merge({ updateStrategy: { rollingUpdate: { partition: Math.floor(random.next() * 3) } } });
  },
  rules: (storage) => [...rules(), ...storageRules(storage)],
  unsettled: (committed) => [
    ...committed.all(statefulSets).flatMap((set) => faultOf(set, committed) ?? []),
    ...volumesLeft(committed.all(persistentVolumes), committed.all(persistentVolumeClaims)),
  ],
};
