// `create ingress`: rules of the form HOST/PATH=SERVICE:PORT[,tls[=SECRET]].
import { CliError } from "../cli-error.ts";
import { type GeneratedObject, unlessEmpty } from "./generated-object.ts";

export interface IngressFlags {
  readonly class?: string;
  readonly rule?: readonly string[];
  readonly defaultBackend?: string;
  readonly annotation?: readonly string[];
}

const ruleForm =
  /^(?<host>[\w*.-]*)(?<path>\/[^=]*)=(?<service>[\w-]+):(?<port>[\w-]+)(?:,(?<tls>[\w-]+)(?:=(?<secret>.*))?)?$/;

interface Rule {
  readonly host: string;
  readonly path: string;
  readonly service: string;
  readonly port: string;
  readonly tls?: string;
  readonly secret?: string;
}

function ruleOf(text: string): Rule {
  const parts = ruleForm.exec(text)?.groups;
  if (!parts)
    throw new CliError(`rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
  return parts as unknown as Rule;
}

const backend = (name: string, port: string) => ({
  service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } },
});

const pathRule = ({ path, service, port }: Rule) => ({
  path: path.endsWith("*") ? path.slice(0, -1) : path,
  pathType: path.endsWith("*") ? "Prefix" : "Exact",
  backend: backend(service, port),
});

function defaultBackendOf(text: string | undefined) {
  if (!text) return undefined;
  const [name = "", port, ...more] = text.split(":");
  if (port === undefined || more.length > 0)
    throw new CliError("default-backend should be in format servicename:serviceport");
  return backend(name, port);
}

/** The TLS entries: the hosts of each secret, and of none. */
const tlsOf = (rules: readonly Rule[]) =>
  [
    ...Map.groupBy(
      rules.filter(({ tls }) => tls !== undefined),
      ({ secret }) => secret ?? "",
    ),
  ].map(([secret, of]) => ({
    hosts: unlessEmpty([...new Set(of.map(({ host }) => host).filter((host) => host !== ""))]),
    secretName: secret || undefined,
  }));

function annotationsOf(pairs: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (pairs.length === 0) return undefined;
  const entries = pairs.map((pair) => {
    const at = pair.indexOf("=");
    if (at < 0) throw new CliError(`annotation ${pair} is invalid and should be in format key=[value]`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** An Ingress. It needs rules or a default backend. */
export function ingress(name: string, flags: IngressFlags): GeneratedObject {
  const annotations = annotationsOf(flags.annotation ?? []);
  if (!flags.rule?.length && !flags.defaultBackend)
    throw new CliError(
      "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
    );
  const rules = (flags.rule ?? []).map(ruleOf);
  const hosts = [...Map.groupBy(rules, ({ host }) => host)].map(([host, of]) => ({
    host: host || undefined,
    http: { paths: of.map(pathRule) },
  }));
  return {
    kind: "Ingress",
    apiVersion: "networking.k8s.io/v1",
    metadata: { name, ...(annotations && { annotations }) },
    spec: {
      ingressClassName: flags.class || undefined,
      defaultBackend: defaultBackendOf(flags.defaultBackend),
      tls: unlessEmpty(tlsOf(rules)),
      rules: unlessEmpty(hosts),
    },
    status: { loadBalancer: {} },
  };
}
