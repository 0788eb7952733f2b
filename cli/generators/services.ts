// `create service`: services that select the pods labelled `app=NAME`.
import { validatePortName, validateSubdomainName } from "../../api/names.ts";
import { detailOf } from "../../api/problems.ts";
import { CliError } from "../cli-error.ts";
import { type GeneratedObject, unlessEmpty } from "./generated-object.ts";

const maxPort = 65_535;

/** A port of a service. Throws CliError with Go's message. */
function portOf(text: string): number {
  const wrong = (why: string): CliError => new CliError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^\d+$/.test(text)) throw wrong("invalid syntax");
  if (Number(text) > maxPort) throw wrong("value out of range");
  return Number(text);
}

/** A port of a container by number or name. */
function targetPortOf(text: string): number | string {
  if (/^[+-]?\d+$/.test(text)) {
    const port = Number(text);
    if (port < 1 || port > maxPort) throw new CliError("must be between 1 and 65535, inclusive");
    return port;
  }
  // An empty name breaks two rules, which validation of objects does not look at.
  const problems = validatePortName(text, "").map(detailOf);
  if (problems.length > 0) throw new CliError(problems.join(","));
  return text;
}

/** A port of `--tcp`: `80` or `80:8080`. */
function tcpPort(text: string) {
  const [first = "", second] = text.split(":");
  const port = portOf(first);
  return {
    name: text.replaceAll(":", "-"),
    protocol: "TCP",
    port,
    targetPort: second === undefined ? port : targetPortOf(second),
  };
}

export interface ServiceFlags {
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  readonly tcp?: readonly string[];
  readonly clusterip?: string;
  readonly nodePort?: number;
  readonly externalName?: string;
}

/** A Service. All but headless ones and external names need a port. */
export function service(name: string, flags: ServiceFlags): GeneratedObject {
  const { type, tcp = [], clusterip, nodePort, externalName } = flags;
  if (tcp.length === 0 && type !== "ExternalName" && clusterip !== "None")
    throw new CliError("at least one tcp port specifier must be provided");
  if (type === "ExternalName" && (!externalName || validateSubdomainName(externalName, "").length > 0))
    throw new CliError(`invalid service external name ${externalName}`);
  const labels = { app: name };
  const ports = tcp.map((text) => ({ ...tcpPort(text), ...(nodePort ? { nodePort } : {}) }));
  return {
    kind: "Service",
    apiVersion: "v1",
    metadata: { name, labels },
    spec: {
      ports: unlessEmpty(ports),
      selector: labels,
      clusterIP: clusterip || undefined,
      type,
      externalName: externalName || undefined,
    },
    status: { loadBalancer: {} },
  };
}
