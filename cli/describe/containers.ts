// Describes containers: image and ports, command, state, resources, probes, environment and mounts.
import type { Container, ContainerState, ContainerStatus, EnvVar, Pod, Probe } from "../../api/generated/types.ts";
import { milliOf, unitsOf } from "../../api/quantity.ts";
import { byKey, field, goList, indented, type Lines, optional, orNone, timeText, yesNo } from "./layout.ts";

interface Context {
  readonly status: ContainerStatus | undefined;
  /** Resolves fields of environment variables; absent for templates. */
  readonly pod: Pod | undefined;
}

const portsOf = (container: Container, key: "containerPort" | "hostPort"): string =>
  (container.ports ?? []).map((p) => `${p[key] ?? 0}/${p.protocol ?? "TCP"}${p.name ? ` (${p.name})` : ""}`).join(", ");

function basics(container: Container, status: ContainerStatus | undefined): Lines {
  const [ports, hostPorts] = [portsOf(container, "containerPort"), portsOf(container, "hostPort")];
  const plural = ports.includes(",") ? "s" : "";
  const profile = container.securityContext?.seccompProfile;
  return [
    ...(status ? [field("Container ID", status.containerID)] : []),
    field("Image", container.image),
    ...(status ? [field("Image ID", status.imageID)] : []),
    field(`Port${plural}`, orNone(ports)),
    field(`Host Port${plural}`, orNone(hostPorts)),
    ...optional("SeccompProfile", profile?.type),
    ...indented(optional("LocalhostProfile", profile?.localhostProfile)),
  ];
}

const words = (name: string, list: readonly string[] | undefined): Lines =>
  list?.length ? [`${name}:`, ...list.flatMap((word) => word.split("\n").map((line) => `  ${line}`))] : [];

function stateLines(name: string, { running, terminated, waiting }: ContainerState): Lines {
  if (running) return [field(name, "Running"), `  ${field("Started", timeText(running.startedAt))}`];
  if (!terminated) return [field(name, "Waiting"), ...indented(optional("Reason", waiting?.reason))];
  return [
    field(name, "Terminated"),
    ...indented([
      ...optional("Reason", terminated.reason),
      ...optional("Message", terminated.message),
      field("Exit Code", terminated.exitCode),
      ...(terminated.signal ? [field("Signal", terminated.signal)] : []),
      field("Started", timeText(terminated.startedAt)),
      field("Finished", timeText(terminated.finishedAt)),
    ]),
  ];
}

const statusLines = (status: ContainerStatus | undefined): Lines =>
  status === undefined
    ? []
    : [
        ...stateLines("State", status.state ?? {}),
        ...(status.lastState?.terminated ? stateLines("Last State", status.lastState) : []),
        field("Ready", yesNo(status.ready)),
        field("Restart Count", status.restartCount),
      ];

const amounts = (name: string, map: Readonly<Record<string, string>> | undefined): Lines => {
  const entries = byKey(map);
  return entries.length === 0 ? [] : [`${name}:`, ...entries.map(([key, value]) => `  ${field(key, value)}`)];
};

function handlerText({ exec, httpGet, tcpSocket, grpc }: Probe): string {
  if (exec) return `exec ${goList(exec.command)}`;
  if (httpGet) {
    const port = httpGet.port === "" ? "" : `:${httpGet.port}`;
    const path = httpGet.path ?? "";
    const url = `${(httpGet.scheme ?? "HTTP").toLowerCase()}://${httpGet.host ?? ""}${port}`;
    return `http-get ${url}${path.startsWith("/") || path === "" ? path : `/${path}`}`;
  }
  if (tcpSocket) return `tcp-socket ${tcpSocket.host ?? ""}:${tcpSocket.port}`;
  return grpc ? `grpc <pod>:${grpc.port} ${grpc.service ?? ""}` : "unknown";
}

function probeLine(name: string, probe: Probe | undefined): Lines {
  if (probe === undefined) return [];
  const { initialDelaySeconds = 0, timeoutSeconds = 0, periodSeconds = 0 } = probe;
  const times = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s`;
  const limits = `#success=${probe.successThreshold ?? 0} #failure=${probe.failureThreshold ?? 0}`;
  return [field(name, `${handlerText(probe)} ${times} ${limits}`)];
}

function envFromLines({ envFrom }: Container): Lines {
  if (!envFrom?.length) return [];
  return [
    "Environment Variables from:",
    ...envFrom.map(({ configMapRef, secretRef, prefix }) => {
      const [source, kind] = configMapRef ? [configMapRef, "ConfigMap"] : [secretRef, "Secret"];
      const withPrefix = prefix ? ` with prefix '${prefix}'` : "";
      return `  ${source?.name}\t${kind}${withPrefix}\tOptional: ${source?.optional === true}`;
    }),
  ];
}

/** The value of a resource of the container, divided; limits that are not set are the node's. */
function resourceValue({ resources }: Container, resource: string, divisor: string | undefined): string {
  const [list, name = ""] = resource.split(/\.(.*)/s) as [string, string?];
  const amount = resources?.[list as "limits" | "requests"]?.[name];
  const isCpu = name === "cpu";
  const divisorValue = (isCpu ? milliOf : unitsOf)(divisor && divisor !== "0" ? divisor : "1");
  const value = amount === undefined ? 0 : Math.ceil((isCpu ? milliOf : unitsOf)(amount) / divisorValue);
  return value === 0 && /^limits\.(cpu|memory)$/.test(resource) ? "node allocatable" : String(value);
}

/** The value of a metadata field of a pod; others are known at the start of the container only. */
function fieldValue(pod: Pod | undefined, path: string): string {
  const { name, namespace, uid, labels, annotations } = pod?.metadata ?? {};
  const plain: Readonly<Record<string, string | undefined>> = {
    "metadata.name": name,
    "metadata.namespace": namespace,
    "metadata.uid": uid,
  };
  const [, map, key] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path) ?? [];
  if (map !== undefined) return (map === "labels" ? labels : annotations)?.[key!] ?? "";
  return plain[path] ?? "";
}

function envLine(variable: EnvVar, container: Container, pod: Pod | undefined): Lines {
  const { name, value = "", valueFrom } = variable;
  if (!valueFrom) return value.split("\n").map((line, i) => (i === 0 ? field(name, line) : `\t${line}`));
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
  if (fieldRef) {
    const { apiVersion = "v1", fieldPath } = fieldRef;
    return [field(name, `${fieldValue(pod, fieldPath)} (${apiVersion}:${fieldPath})`)];
  }
  if (resourceFieldRef) {
    const { resource, divisor } = resourceFieldRef;
    return [field(name, `${resourceValue(container, resource, divisor)} (${resource})`)];
  }
  if (secretKeyRef) {
    const { key, name: secret, optional: isOptional } = secretKeyRef;
    return [field(name, `<set to the key '${key}' in secret '${secret}'>\tOptional: ${isOptional === true}`)];
  }
  if (!configMapKeyRef) return [];
  const { key, name: map, optional: isOptional } = configMapKeyRef;
  return [field(name, `<set to the key '${key}' of config map '${map}'>\tOptional: ${isOptional === true}`)];
}

function envLines(container: Container, pod: Pod | undefined): Lines {
  const { env } = container;
  if (!env?.length) return [field("Environment", "<none>")];
  return ["Environment:", ...indented(env.flatMap((variable) => envLine(variable, container, pod)))];
}

function mountLines({ volumeMounts, volumeDevices }: Container): Lines {
  const mounts = (volumeMounts ?? []).toSorted((a, b) => (a.mountPath < b.mountPath ? -1 : 1));
  const devices = (volumeDevices ?? []).toSorted((a, b) => (a.devicePath < b.devicePath ? -1 : 1));
  return [
    ...(mounts.length === 0 ? [field("Mounts", "<none>")] : ["Mounts:"]),
    ...mounts.map(({ mountPath, name, readOnly, subPath }) => {
      const path = subPath ? `,path=${JSON.stringify(subPath)}` : "";
      return `  ${mountPath} from ${name} (${readOnly ? "ro" : "rw"}${path})`;
    }),
    ...(devices.length === 0 ? [] : ["Devices:"]),
    ...devices.map(({ devicePath, name }) => `  ${devicePath} from ${name}`),
  ];
}

const containerLines = (container: Container, { status, pod }: Context): Lines => [
  ...basics(container, status),
  ...words("Command", container.command),
  ...words("Args", container.args),
  ...statusLines(status),
  ...amounts("Limits", container.resources?.limits),
  ...amounts("Requests", container.resources?.requests),
  ...probeLine("Liveness", container.livenessProbe),
  ...probeLine("Readiness", container.readinessProbe),
  ...probeLine("Startup", container.startupProbe),
  ...envFromLines(container),
  ...envLines(container, pod),
  ...mountLines(container),
];

/** Where containers are listed: in a pod with its statuses, or nested in a template. */
export interface ContainersOf {
  readonly pod?: Pod;
  readonly statuses?: readonly ContainerStatus[] | undefined;
}

/** A heading, and the containers below it. */
export function containersLines(heading: string, list: readonly Container[] | undefined, of: ContainersOf): Lines {
  const isNested = of.pod === undefined;
  const indent = isNested ? "  " : "";
  if (!list?.length) return [`${indent}${field(heading, "<none>")}`];
  return [
    `${indent}${heading}:`,
    ...list.flatMap((container) => {
      const status = of.statuses?.find(({ name }) => name === container.name);
      const lines = containerLines(container, { status, pod: of.pod });
      return [`${isNested ? "   " : "  "}${container.name}:`, ...indented(lines, 2)];
    }),
  ];
}
