// Prepares the claims of pods on their node, by their drivers, and undoes that when the last pod of a claim has ended.
// Source: KEP-4381; the kubelet's DRA API.
import type { Container, Pod, ResourceV1ResourceClaim as ResourceClaim } from "../../api/generated/types.ts";
import { key, type Key, splitKey } from "../../api/meta.ts";
import { claimReference, deviceClaimKeys, foreignClaim, isReservedFor } from "../../api/resource/pod-claims.ts";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import { rpcMessage } from "../../csi/protocol/grpc.ts";
import type { Client } from "../../machinery/client.ts";
import { serial } from "../../machinery/serial.ts";
import { type ClaimRecord, type PreparedDevice, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { DeviceDrivers } from "./drivers.ts";

export interface DeviceClaims {
  /** Prepares all claims of the pod. Repeated without cost. Throws why one cannot be used. */
  prepare(pod: Pod): Promise<void>;
  /** The CDI names of the devices that the container gets. */
  devicesOf(pod: Pod, container: Container): readonly string[];
  /** Gives back what only this pod used. May be repeated after a failure. */
  unprepare(podUid: string): Promise<void>;
  /** Pods with claims that are prepared, or were about to be. */
  podUids(): readonly string[];
}
interface ClaimPorts {
  readonly client: Client;
  readonly drivers: DeviceDrivers;
  readonly stateDir: string;
}

/** As kubelets wait. */
const timeoutMs = 45_000;

const recordOf = ({ metadata, status }: ResourceClaim): ClaimRecord => ({
  ...{ namespace: metadata.namespace!, name: metadata.name, uid: metadata.uid, podUids: [] },
  drivers: [...new Set((status?.allocation?.devices?.results ?? []).map(({ driver }) => driver))],
});

/** The claim as the API has it, if the pod may use it. */
async function allowedClaim(client: Client, pod: Pod, claimKey: Key, isGenerated: boolean): Promise<ResourceClaim> {
  const { name } = splitKey(claimKey);
  const claim = await client.get(resourceClaims, claimKey).catch((e: Error) => {
    throw new Error(`fetch ResourceClaim ${name}: ${e.message}`, { cause: e });
  });
  const foreign = isGenerated ? foreignClaim(pod, claim) : undefined;
  if (foreign !== undefined) throw new Error(foreign);
  const { metadata } = pod;
  if (!isReservedFor(pod, claim))
    throw new Error(
      `pod ${metadata.name} (${metadata.uid}) is not allowed to use ResourceClaim ${name} (${claim.metadata.uid})`,
    );
  if (!claim.status?.allocation) throw new Error(`ResourceClaim ${name}: claim not allocated`);
  return claim;
}

/** The result of a call for one claim; throws the driver's error. */
async function resultFor<R extends { readonly error: string }>(
  { uid, name }: ClaimRecord,
  call: string,
  response: Promise<{ readonly claims: Readonly<Record<string, R>> }>,
): Promise<R> {
  const { claims } = await response.catch((e: unknown) => {
    throw new Error(`${call}: ${rpcMessage(e)}`, { cause: e });
  });
  const result = claims[uid];
  if (!result) throw new Error(`${call} skipped 1 ResourceClaims`);
  if (result.error) throw new Error(`${call} failed for ResourceClaim ${name}: ${result.error}`);
  return result;
}

const requestFor = ({ namespace, name, uid }: ClaimRecord) => ({ claims: [{ namespace, name, uid }] });

async function preparedBy({ drivers }: ClaimPorts, driver: string, record: ClaimRecord) {
  const response = drivers.get(driver).call.NodePrepareResources(requestFor(record), { timeoutMs });
  const { devices } = await resultFor(record, "NodePrepareResources", response);
  return devices.map(
    ({ requestNames: requests, cdiDeviceIds }): PreparedDevice => ({ driver, requests, cdiDeviceIds }),
  );
}

async function unpreparedBy({ drivers }: ClaimPorts, driver: string, record: ClaimRecord): Promise<void> {
  const response = drivers.get(driver).call.NodeUnprepareResources(requestFor(record), { timeoutMs });
  await resultFor(record, "NodeUnprepareResources", response);
}

/** The requests of a claim that the container names; all when empty. */
function requestsOf({ resources }: Container, entry: string): readonly string[] | undefined {
  const named = (resources?.claims ?? []).filter(({ name }) => name === entry);
  if (named.length === 0) return undefined;
  return named.every(({ request }) => request) ? named.map(({ request }) => request!) : [];
}

/** A claim of the pod, and the requests in it whose devices a container gets; all when empty. */
interface ContainerClaim {
  readonly name: string;
  readonly requests: readonly string[];
}
function claimsOf(pod: Pod, container: Container): readonly ContainerClaim[] {
  const named = (pod.spec.resourceClaims ?? []).flatMap((entry) => {
    const requests = requestsOf(container, entry.name);
    const reference = claimReference(pod, entry);
    return requests === undefined || typeof reference === "string" ? [] : [{ name: reference.name, requests }];
  });
  const { requestMappings = [], resourceClaimName: name = "" } = pod.status?.extendedResourceClaimStatus ?? {};
  const requested = container.resources?.requests ?? {};
  const requests = requestMappings
    .filter(({ containerName, resourceName }) => containerName === container.name && resourceName in requested)
    .map(({ requestName }) => requestName);
  return requests.length > 0 ? [...named, { name, requests }] : named;
}

/** A device is for the request, or for one of its alternatives. */
const isFor = ({ requests }: PreparedDevice, request: string): boolean =>
  requests.length === 0 || requests.some((name) => name === request || name.startsWith(`${request}/`));

/** The claims of a node. Those of an earlier kubelet are read from the disk. */
export function deviceClaims(ports: ClaimPorts): DeviceClaims {
  const { client, stateDir } = ports;
  const records = new Map<Key, ClaimRecord>();
  for (const record of readCheckpoint(stateDir)) records.set(key(record.namespace, record.name), record);
  const oneAtATime = serial();
  const set = (at: Key, record: ClaimRecord | undefined): void => {
    if (record) records.set(at, record);
    else records.delete(at);
    writeCheckpoint(stateDir, records.values());
  };

  const prepareClaim = async (pod: Pod, at: Key, isGenerated: boolean): Promise<void> => {
    const { uid } = pod.metadata;
    const known = records.get(at);
    if (known?.devices && known.podUids.includes(uid)) return;
    const claim = await allowedClaim(client, pod, at, isGenerated);
    if (known && known.uid !== claim.metadata.uid)
      throw new Error(
        `old ResourceClaim with same name ${known.name} and different UID ${known.uid} still exists (previous pod force-deleted?!)`,
      );
    const before = known ?? recordOf(claim);
    for (const driver of before.drivers) ports.drivers.get(driver);
    const record = { ...before, podUids: [...new Set([...before.podUids, uid])] };
    set(at, record);
    if (record.devices) return;
    const devices: PreparedDevice[] = [];
    for (const driver of record.drivers) devices.push(...(await preparedBy(ports, driver, record)));
    set(at, { ...record, devices });
  };
  const unprepareClaim = async (podUid: string, at: Key): Promise<void> => {
    const record = records.get(at);
    if (!record?.podUids.includes(podUid)) return;
    const podUids = record.podUids.filter((uid) => uid !== podUid);
    if (podUids.length > 0) return set(at, { ...record, podUids });
    for (const driver of record.drivers) await unpreparedBy(ports, driver, record);
    set(at, undefined);
  };
  return {
    async prepare(pod) {
      const { spec, metadata } = pod;
      for (const entry of spec.resourceClaims ?? []) {
        const reference = claimReference(pod, entry);
        if (reference === "not needed") continue;
        if (reference === "not created")
          throw new Error(`pod "${metadata.namespace}/${metadata.name}": ResourceClaim not created yet`);
        const at = key(metadata.namespace, reference.name);
        await oneAtATime(at, () => prepareClaim(pod, at, reference.isGenerated));
      }
      const extended = pod.status?.extendedResourceClaimStatus;
      if (!extended) return;
      const at = key(metadata.namespace, extended.resourceClaimName);
      await oneAtATime(at, () => prepareClaim(pod, at, false));
    },
    devicesOf(pod, container) {
      const ids = claimsOf(pod, container).flatMap(({ name, requests }) => {
        const devices = records.get(key(pod.metadata.namespace, name))?.devices ?? [];
        const own = devices.filter((d) => requests.length === 0 || requests.some((request) => isFor(d, request)));
        return own.flatMap(({ cdiDeviceIds }) => cdiDeviceIds);
      });
      return [...new Set(ids)];
    },
    async unprepare(podUid) {
      const own = [...records].filter(([, { podUids }]) => podUids.includes(podUid));
      const undoing = own.map(([at]) => oneAtATime(at, () => unprepareClaim(podUid, at)));
      // All are tried, also after a failure, before the first failure is thrown.
      await Promise.allSettled(undoing);
      await Promise.all(undoing);
    },
    podUids: () => [...new Set(records.values().flatMap(({ podUids }) => podUids))],
  };
}

/** Whether devices have to be prepared for the pod. */
export const usesDevices = (pod: Pod): boolean =>
  pod.spec.resourceClaims !== undefined || deviceClaimKeys(pod).length > 0;
