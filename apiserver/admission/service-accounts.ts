// Who a pod is: the account it runs as, and the token by which it can say so (KEP-1205).
import type { Container, Pod, PodSpec, ProjectedVolumeSource, ServiceAccount } from "../../api/generated/types.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { World } from "../../machinery/world.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../registry/admission.ts";
import { objectOf } from "../registry/codec.ts";
import { generatedName } from "../registry/metadata.ts";
import { forbidden } from "../registry/refusals.ts";
import { prefixOf } from "../registry/selection.ts";

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
/** All a program needs to speak to the API. The seconds are what a token's maker knows an automatic request by. */
const apiAccess: ProjectedVolumeSource = {
  defaultMode: 0o644,
  sources: [
    { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    {
      downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] },
    },
  ],
};

const isWithoutToken = ({ volumeMounts = [] }: Container): boolean =>
  !volumeMounts.some((m) => m.mountPath === mountPath);

/** The spec with the token in every container that has nothing else in its place. */
function withToken(spec: PodSpec, newName: () => string): PodSpec {
  const { containers, initContainers = [], volumes = [] } = spec;
  if (![...containers, ...initContainers].some(isWithoutToken)) return spec;
  const there = volumes.find((v) => v.name.startsWith(volumePrefix));
  const name = there?.name ?? newName();
  const mounted = (c: Container): Container =>
    isWithoutToken(c) ? { ...c, volumeMounts: [...(c.volumeMounts ?? []), { name, readOnly: true, mountPath }] } : c;
  return {
    ...spec,
    containers: containers.map(mounted),
    ...(initContainers.length > 0 && { initContainers: initContainers.map(mounted) }),
    volumes: there ? volumes : [...volumes, { name, projected: apiAccess }],
  };
}

/** The spec of a pod that runs as this account. The pod's own word counts for more than the account's. Pure. */
export function runningAs(spec: PodSpec, account: ServiceAccount, newName: () => string): PodSpec {
  const automount = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  const { imagePullSecrets = [] } = account;
  return {
    ...(automount ? withToken(spec, newName) : spec),
    ...(!spec.imagePullSecrets?.length && imagePullSecrets.length > 0 && { imagePullSecrets }),
  };
}

/** So often a namespace's default account is looked for: somebody is about to make it when the namespace is new. */
const patience = 10;
const shortestWaitMs = 100;
const longestWaitMs = 200;

async function accountOf(
  pod: Pod,
  name: string,
  world: World,
  present: AdmissionAttributes["present"],
): Promise<ServiceAccount | undefined> {
  const { get } = await present();
  const tries = name === "default" ? patience : 1;
  for (let tried = 1; ; tried++) {
    const stored = get(prefixOf(serviceAccounts, pod.metadata.namespace) + name);
    if (stored || tried === tries) return stored && objectOf<ServiceAccount>(stored);
    await world.clock.sleep(shortestWaitMs + world.random.next() * (longestWaitMs - shortestWaitMs));
  }
}

/** A kubelet's own pods, shown to the cluster, are nobody in it. */
const isMirror = ({ metadata }: Pod): boolean => metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined;

/** Kubernetes' admission plugin ServiceAccount. */
export const serviceAccount = (world: World): AdmissionPlugin => ({
  name: "ServiceAccount",
  operations: ["CREATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  async mutate(object, { r, present }) {
    const pod = object as Pod;
    // What is wrong with a pod without a spec is for others to say.
    if (!(pod as Partial<Pod>).spec || isMirror(pod)) return object;
    const { name, namespace } = pod.metadata;
    const wanted = pod.spec.serviceAccountName ?? "default";
    const account = await accountOf(pod, wanted, world, present);
    if (!account)
      throw forbidden(
        r,
        name,
        `error looking up service account ${namespace}/${wanted}: serviceaccount "${wanted}" not found`,
      );
    const spec = runningAs(pod.spec, account, () => generatedName(volumePrefix, world.random));
    return { ...pod, spec } as ApiObject;
  },
});
