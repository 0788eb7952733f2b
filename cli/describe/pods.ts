// Describes pods and pod templates.
import type { Container, Pod, PodSpec, PodTemplateSpec, TopologySpreadConstraint } from "../../api/generated/types.ts";
import { controllerOf } from "../../api/meta.ts";
import { qosClass } from "../../api/core/pod/status.ts";
import { selectorText } from "../../api/selector.ts";
import { containersLines } from "./containers.ts";
import type { Describer } from "./describer.ts";
import {
  annotationLines,
  field,
  indented,
  type Lines,
  labelLines,
  multiline,
  optional,
  orNone,
  since,
  timeText,
} from "./layout.ts";
import { volumeLines } from "./volumes.ts";

type TolerationList = NonNullable<PodSpec["tolerations"]>;

function tolerationText({ key = "", value, effect, operator, tolerationSeconds }: TolerationList[number]): string {
  const target = `${key}${value ? `=${value}` : ""}${effect ? `:${effect}` : ""}`;
  const exists = operator === "Exists" && !value ? `${target === "" ? "" : " "}op=Exists` : "";
  return `${target}${exists}${tolerationSeconds === undefined ? "" : ` for ${tolerationSeconds}s`}`;
}

/** Tolerations by key, one on each line. */
const tolerationLines = (list: TolerationList | undefined): Lines =>
  multiline(
    "Tolerations",
    (list ?? []).toSorted((a, b) => ((a.key ?? "") < (b.key ?? "") ? -1 : 1)).map(tolerationText),
  );

const spreadText = ({ topologyKey, whenUnsatisfiable, maxSkew, labelSelector }: TopologySpreadConstraint): string =>
  `${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded${labelSelector ? ` for selector ${selectorText(labelSelector)}` : ""}`;

const spreadLines = (list: readonly TopologySpreadConstraint[] | undefined): Lines =>
  list?.length
    ? multiline(
        "Topology Spread Constraints",
        list.toSorted((a, b) => (a.topologyKey < b.topologyKey ? -1 : 1)).map(spreadText),
      )
    : [];

function statusLines({ metadata, status }: Pod, now: Parameters<typeof since>[1]): Lines {
  const phase = status?.phase ?? "";
  const isTerminating = metadata.deletionTimestamp !== undefined && !["Failed", "Succeeded"].includes(phase);
  if (!isTerminating) return [field("Status", phase)];
  return [
    field("Status", `Terminating (lasts ${since(metadata.deletionTimestamp, now)})`),
    ...optional("Termination Grace Period", `${metadata.deletionGracePeriodSeconds ?? 0}s`),
  ];
}

const ipLines = ({ status }: Pod): Lines => {
  const ips = status?.podIPs ?? [];
  return ips.length === 0 ? [field("IPs", "<none>")] : ["IPs:", ...ips.map(({ ip }) => `  ${field("IP", ip)}`)];
};

function overview(pod: Pod, now: Parameters<typeof since>[1]): Lines {
  const { metadata, spec, status } = pod;
  const profile = spec.securityContext?.seccompProfile;
  const owner = controllerOf(pod);
  return [
    field("Name", metadata.name),
    field("Namespace", metadata.namespace),
    ...optional("Priority", spec.priority),
    ...optional("Priority Class Name", spec.priorityClassName),
    ...optional("Runtime Class Name", spec.runtimeClassName),
    ...optional("Service Account", spec.serviceAccountName),
    field("Node", spec.nodeName ? `${spec.nodeName}/${status?.hostIP ?? ""}` : "<none>"),
    ...(status?.startTime ? [field("Start Time", timeText(status.startTime))] : []),
    ...labelLines("Labels", metadata.labels),
    ...annotationLines(metadata.annotations),
    ...statusLines(pod, now),
    ...optional("Reason", status?.reason),
    ...optional("Message", status?.message),
    ...optional("SeccompProfile", profile?.type),
    ...optional("LocalhostProfile", profile?.localhostProfile),
    field("IP", status?.podIP),
    ...ipLines(pod),
    ...(owner ? [field("Controlled By", `${owner.kind}/${owner.name}`)] : []),
    ...optional("NominatedNodeName", status?.nominatedNodeName),
  ];
}

function containers(pod: Pod): Lines {
  const { spec, status } = pod;
  const { initContainers, ephemeralContainers } = spec;
  return [
    ...(initContainers?.length
      ? containersLines("Init Containers", initContainers, { pod, statuses: status?.initContainerStatuses })
      : []),
    ...containersLines("Containers", spec.containers, { pod, statuses: status?.containerStatuses }),
    ...(ephemeralContainers?.length
      ? containersLines("Ephemeral Containers", ephemeralContainers as readonly Container[], {
          pod,
          statuses: status?.ephemeralContainerStatuses,
        })
      : []),
  ];
}

function conditions({ spec, status }: Pod): Lines {
  const list = status?.conditions ?? [];
  const gates = (spec.readinessGates ?? []).map(({ conditionType }) => {
    const found = list.find(({ type }) => type === conditionType)?.status ?? "<none>";
    return `  ${conditionType} \t${found} `;
  });
  return [
    ...(gates.length > 0 ? ["Readiness Gates:", "  Type\tStatus", ...gates] : []),
    ...(list.length > 0 ? ["Conditions:", "  Type\tStatus", ...list.map((c) => `  ${c.type} \t${c.status} `)] : []),
  ];
}

export const podDescriber: Describer<Pod> = {
  lines: (pod, { now }) => [
    ...overview(pod, now),
    ...containers(pod),
    ...conditions(pod),
    ...volumeLines(pod.spec.volumes),
    field("QoS Class", pod.status?.qosClass ?? qosClass(pod.spec)),
    ...labelLines("Node-Selectors", pod.spec.nodeSelector),
    ...tolerationLines(pod.spec.tolerations),
    ...spreadLines(pod.spec.topologySpreadConstraints),
  ],
};

/** The template of a workload. */
export function templateLines({ metadata, spec }: PodTemplateSpec): Lines {
  const { annotations = {} } = metadata ?? {};
  const { initContainers, containers: main = [] } = spec ?? {};
  return [
    "Pod Template:",
    ...indented([
      ...labelLines("Labels", metadata?.labels),
      ...(Object.keys(annotations).length > 0 ? annotationLines(annotations) : []),
      ...optional("Service Account", spec?.serviceAccountName),
    ]),
    ...(initContainers?.length ? containersLines("Init Containers", initContainers, {}) : []),
    ...containersLines("Containers", main, {}),
    ...volumeLines(spec?.volumes, true),
    ...indented([
      ...spreadLines(spec?.topologySpreadConstraints),
      ...optional("Priority Class Name", spec?.priorityClassName),
      ...labelLines("Node-Selectors", spec?.nodeSelector),
      ...tolerationLines(spec?.tolerations),
    ]),
  ];
}

/** How many pods are in each phase. */
export function podCounts(pods: readonly Pod[]): string {
  const count = (phase: string): number => pods.filter((p) => p.status?.phase === phase).length;
  return `${count("Running")} Running / ${count("Pending")} Waiting / ${count("Succeeded")} Succeeded / ${count("Failed")} Failed`;
}

/** A selector, or `<none>`. */
export const selectorOrNone = (selector: Parameters<typeof selectorText>[0]): string =>
  orNone(selector === undefined ? undefined : selectorText(selector));
