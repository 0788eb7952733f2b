// Pods that use devices of their nodes: some have a claim made for them from a template, some share one, and one
// requests an extended resource. Users delete pods and claims, and a component creates them again.
import { isReady, isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import { hasReason } from "../../../api/errors.ts";
import type { Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, controllerOf, type Draft, key } from "../../../api/meta.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import { isExtendedClaimOf } from "../../../api/extended-resources.ts";
import { deviceClaimKeys, isReservedFor } from "../../../api/resource/pod-claims.ts";
import { resourceClaims, resourceClaimTemplates } from "../../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../../api/resource/resourceslices.ts";
import type { Client } from "../../../machinery/client.ts";
import type { Committed, Rule } from "../judge.ts";
import { impatient } from "./lost-nodes.ts";
import { userGraceSeconds } from "./readiness.ts";
import { type ComponentOf, oneOf, type Workload } from "./workload.ts";

const namespace = "default";
const driver = "gpu.example.com";
const devicesPerNode = 2;
const devices = (...requests: readonly string[]) => ({
  requests: requests.map((name) => ({ name, exactly: { deviceClassName: "gpus" } })),
});
const shared = "shared";
const owners = ["own-a", "own-b", "own-c"];
const sharers = ["share-a", "share-b"];
const extended = "extended";
const resource = "example.com/gpu";
const members = [...owners, ...sharers, extended];

const extendedDraft: Draft<Pod> = {
  kind: "Pod",
  metadata: { name: extended, namespace },
  spec: {
    containers: [
      { name: "main", image: "app:1", resources: { requests: { [resource]: "1" }, limits: { [resource]: "1" } } },
    ],
    tolerations: impatient,
  },
};

const podDraft = (name: string): Draft<Pod> => ({
  kind: "Pod",
  metadata: { name, namespace },
  spec: {
    containers: [{ name: "main", image: "app:1" }],
    tolerations: impatient,
    resourceClaims: [
      {
        name: "gpu",
        ...(owners.includes(name) ? { resourceClaimTemplateName: "one" } : { resourceClaimName: shared }),
      },
    ],
  },
});
const sharedClaim = {
  kind: "ResourceClaim",
  metadata: { name: shared, namespace },
  spec: { devices: devices("gpu") },
} as Draft<ResourceClaim>;

async function ensure<T extends ApiObject>(client: Client, kind: ResourceDefinition<T>, draft: Draft<T>) {
  try {
    await client.get(kind, key(draft.metadata.namespace, draft.metadata.name!));
  } catch (e) {
    if (hasReason(e, "NotFound")) await client.create(kind, draft);
  }
}
const administrationMs = 5_000;
const component: ComponentOf =
  ({ world }) =>
  async (client, signal) => {
    while (!signal.aborted) {
      const round = async (): Promise<void> => {
        await ensure(client, resourceClaims, sharedClaim);
        for (const name of members) await ensure(client, pods, name === extended ? extendedDraft : podDraft(name));
      };
      await round().catch(() => {});
      await world.clock.sleep(administrationMs, signal);
    }
  };

const deviceIdsOf = ({ status }: ResourceClaim): readonly string[] =>
  (status?.allocation?.devices?.results ?? []).map((result) => `${result.pool}/${result.device}`);

const allocatedTwice: Rule<ResourceClaim> = {
  name: "device allocated to two claims",
  kind: resourceClaims,
  broken(claim, before, committed) {
    if (!claim?.status?.allocation || before?.status?.allocation) return undefined;
    const own = deviceIdsOf(claim);
    const others = committed.all(resourceClaims).filter(({ metadata }) => metadata.uid !== claim.metadata.uid);
    const other = others.find((o) => deviceIdsOf(o).some((id) => own.includes(id)));
    return other && `${own.join()} of ${claim.metadata.name} and ${other.metadata.name}`;
  },
};

/** The claim of one of the pod's entries, by its key. */
const claimsOf = (pod: Pod, committed: Committed): readonly (ResourceClaim | undefined)[] =>
  deviceClaimKeys(pod).map((k) =>
    committed.all(resourceClaims).find(({ metadata }) => key(metadata.namespace, metadata.name) === k),
  );

const boundWithout: Rule<Pod> = {
  name: "pod bound without its claims",
  kind: pods,
  broken(pod, before, committed) {
    const isUser = pod?.spec.resourceClaims !== undefined || pod?.metadata.name === extended;
    if (!pod || !isUser || !pod.spec.nodeName || before?.spec.nodeName) return undefined;
    const claims = claimsOf(pod, committed);
    const isReserved = claims.length > 0 && claims.every((c) => c?.status?.allocation && isReservedFor(pod, c));
    return isReserved ? undefined : pod.metadata.name;
  },
};

const takenAway: Rule<ResourceClaim> = {
  name: "claim taken away from a running pod",
  kind: resourceClaims,
  broken(claim, before, committed) {
    const lost = (before?.status?.reservedFor ?? []).filter(
      ({ uid }) => !(claim?.status?.reservedFor ?? []).some((consumer) => consumer.uid === uid),
    );
    const user = committed
      .all(pods)
      .find((pod) => lost.some(({ uid }) => uid === pod.metadata.uid) && pod.spec.nodeName && !isTerminal(pod));
    return user && `${before!.metadata.name} of ${user.metadata.name}`;
  },
};

/** A claim that was made for a pod is for no other; any claim is for pods that name it. */
const reservedForOthers: Rule<ResourceClaim> = {
  name: "claim reserved for another pod",
  kind: resourceClaims,
  broken(claim, _, committed) {
    const users = committed.all(pods).filter((pod) => claim && isReservedFor(pod, claim));
    const owner = claim && controllerOf(claim);
    const stranger = users.find(
      // The pod names the claim for its extended resources once it has it.
      (pod) =>
        (owner && owner.uid !== pod.metadata.uid) ||
        !(claimsOf(pod, committed).includes(claim) || isExtendedClaimOf(pod, claim!)),
    );
    return stranger && `${claim!.metadata.name} for ${stranger.metadata.name}`;
  },
};

export const deviceWorkload: Workload = {
  kinds: [pods, resourceClaims],
  component,
  async begin(user) {
    const spec = { extendedResourceName: resource };
    await user.create(deviceClasses, { kind: "DeviceClass", metadata: { name: "gpus" }, spec } as never);
    const template = { metadata: { name: "one", namespace }, spec: { spec: { devices: devices("gpu") } } };
    await user.create(resourceClaimTemplates, { kind: "ResourceClaimTemplate", ...template } as never);
    for (const nodeName of ["node-0", "node-1", "node-2"]) {
      const pool = { name: nodeName, generation: 1, resourceSliceCount: 1 };
      const list = Array.from({ length: devicesPerNode }, (_, i) => ({ name: `gpu-${i}` }));
      const draft = { metadata: { name: nodeName }, spec: { driver, nodeName, pool, devices: list } };
      await user.create(resourceSlices, { kind: "ResourceSlice", ...draft } as never);
    }
  },
  async meddle(user, random) {
    const isShared = random.next() < 0.2;
    // A claim that is deleted goes with its last pod, and no other pod gets it.
    if (isShared) await user.delete(resourceClaims, key(namespace, shared));
    for (const name of isShared ? sharers : [oneOf(members, random)!])
      await user.delete(pods, key(namespace, name), { gracePeriodSeconds: userGraceSeconds });
  },
  rules: () => [allocatedTwice, boundWithout, takenAway, reservedForOthers],
  unsettled(committed) {
    const found = new Map(committed.all(pods).map((pod) => [pod.metadata.name, pod]));
    const isStuck = (name: string): boolean => !found.has(name) || !isReady(found.get(name)!);
    const left = committed.all(resourceClaims).filter((claim) => {
      const owner = controllerOf(claim);
      return owner !== undefined && !committed.all(pods).some(({ metadata }) => metadata.uid === owner.uid);
    });
    return [
      ...members.filter(isStuck).map((name) => `pod ${name} is not ready`),
      ...left.map(({ metadata }) => `claim ${metadata.name} is left`),
    ];
  },
};
