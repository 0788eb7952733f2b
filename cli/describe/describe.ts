// Describes objects: finds the describer of the kind, loads only that, and adds the events.
import type { ApiObject, Instant } from "../../api/meta.ts";
import type { Describer, Reader } from "./describer.ts";
import { aligned, type Lines } from "./layout.ts";

interface Environment {
  readonly api: Reader;
  readonly now: Instant;
  readonly showEvents: boolean;
}

/** The lines of an object, and whether events follow. */
interface Described {
  readonly lines: Lines;
  readonly hasNoEvents: boolean;
}
type Describe = (object: ApiObject, environment: Environment) => Promise<Described>;

/** Hides the kind of a describer. */
const from =
  <T extends ApiObject, Related>(load: () => Promise<Describer<T, Related>>): Describe =>
  async (object, { api, now }) => {
    const describer = await load();
    const typed = object as T;
    const related = (await describer.related?.(typed, api)) as Related;
    return { lines: describer.lines(typed, { now, related }), hasNoEvents: describer.hasNoEvents === true };
  };

const access = () => import("./access.ts");
const configuration = () => import("./configuration.ts");
const quotas = () => import("./quotas.ts");
const jobs = () => import("./jobs.ts");
const scaling = () => import("./scaling.ts");
const services = () => import("./services.ts");
const storage = () => import("./storage.ts");
const workloads = () => import("./workloads.ts");

const role = from(async () => (await access()).roleDescriber);
const binding = from(async () => (await access()).bindingDescriber);

/** Describers by kind and group. */
const describers: Readonly<Record<string, Describe>> = {
  Pod: from(async () => (await import("./pods.ts")).podDescriber),
  Node: from(async () => (await import("./nodes.ts")).nodeDescriber),
  Namespace: from(async () => (await quotas()).namespaceDescriber),
  ResourceQuota: from(async () => (await quotas()).quotaDescriber),
  LimitRange: from(async () => (await quotas()).limitRangeDescriber),
  Service: from(async () => (await services()).serviceDescriber),
  Endpoints: from(async () => (await services()).endpointsDescriber),
  "EndpointSlice.discovery.k8s.io": from(async () => (await services()).endpointSliceDescriber),
  "Ingress.networking.k8s.io": from(async () => (await services()).ingressDescriber),
  "IngressClass.networking.k8s.io": from(async () => (await services()).ingressClassDescriber),
  "ServiceCIDR.networking.k8s.io": from(async () => (await services()).serviceCidrDescriber),
  "IPAddress.networking.k8s.io": from(async () => (await services()).ipAddressDescriber),
  "NetworkPolicy.networking.k8s.io": from(async () => (await import("./network-policies.ts")).networkPolicyDescriber),
  ConfigMap: from(async () => (await configuration()).configMapDescriber),
  Secret: from(async () => (await configuration()).secretDescriber),
  ServiceAccount: from(async () => (await configuration()).serviceAccountDescriber),
  "PriorityClass.scheduling.k8s.io": from(async () => (await configuration()).priorityClassDescriber),
  PersistentVolume: from(async () => (await storage()).persistentVolumeDescriber),
  PersistentVolumeClaim: from(async () => (await storage()).claimDescriber),
  "StorageClass.storage.k8s.io": from(async () => (await storage()).storageClassDescriber),
  "VolumeAttributesClass.storage.k8s.io": from(async () => (await storage()).volumeAttributesClassDescriber),
  "CSINode.storage.k8s.io": from(async () => (await storage()).csiNodeDescriber),
  ReplicationController: from(async () => (await workloads()).replicationControllerDescriber),
  "Deployment.apps": from(async () => (await workloads()).deploymentDescriber),
  "ReplicaSet.apps": from(async () => (await workloads()).replicaSetDescriber),
  "StatefulSet.apps": from(async () => (await workloads()).statefulSetDescriber),
  "DaemonSet.apps": from(async () => (await workloads()).daemonSetDescriber),
  "Job.batch": from(async () => (await jobs()).jobDescriber),
  "CronJob.batch": from(async () => (await jobs()).cronJobDescriber),
  "HorizontalPodAutoscaler.autoscaling": from(async () => (await scaling()).autoscalerDescriber),
  "PodDisruptionBudget.policy": from(async () => (await scaling()).disruptionBudgetDescriber),
  "Role.rbac.authorization.k8s.io": role,
  "ClusterRole.rbac.authorization.k8s.io": role,
  "RoleBinding.rbac.authorization.k8s.io": binding,
  "ClusterRoleBinding.rbac.authorization.k8s.io": binding,
  "CertificateSigningRequest.certificates.k8s.io": from(async () => (await access()).certificateRequestDescriber),
};
const generic = from(async () => (await import("./generic.ts")).genericDescriber);

const describerOf = ({ apiVersion, kind }: ApiObject): Describe => {
  const slash = apiVersion.indexOf("/");
  return describers[slash === -1 ? kind : `${kind}.${apiVersion.slice(0, slash)}`] ?? generic;
};

/** The text of an object, with its events unless --show-events=false. */
export async function describe(object: ApiObject, environment: Environment): Promise<string> {
  const { lines, hasNoEvents } = await describerOf(object)(object, environment);
  if (hasNoEvents || !environment.showEvents) return aligned(lines);
  const { eventLines, eventsOf } = await import("./events.ts");
  return aligned([...lines, ...eventLines(await eventsOf(object, environment.api), environment.now)]);
}
