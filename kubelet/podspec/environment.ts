// The environment of a container: services, `envFrom`, then `env`; later values win. Pure.
import type { Service, ServicePort, Container, EnvFromSource, EnvVar, Pod } from "../../api/generated/types.ts";
import { fieldValue, type NodeFacts, resourceValue } from "./fields.ts";
import { type Lookup, Unmet } from "./references.ts";

type Variables = readonly (readonly [name: string, value: string])[];

const word = (name: string): string => name.toUpperCase().replaceAll("-", "_");

function ofPort(prefix: string, ip: string, port: ServicePort, first: boolean): Variables {
  const protocol = (port.protocol ?? "TCP").toLowerCase();
  const url = `${protocol}://${ip}:${port.port}`;
  const link = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
  return [
    ...(first ? ([[`${prefix}_PORT`, url]] as const) : []),
    [link, url],
    [`${link}_PROTO`, protocol],
    [`${link}_PORT`, String(port.port)],
    [`${link}_ADDR`, ip],
  ];
}

function ofService(s: Service): Variables {
  const ip = s.spec?.clusterIP;
  const ports = s.spec?.ports ?? [];
  if (!ip || ip === "None" || ports.length === 0) return [];
  const prefix = word(s.metadata.name);
  return [
    [`${prefix}_SERVICE_HOST`, ip],
    [`${prefix}_SERVICE_PORT`, String(ports[0]!.port)],
    ...ports.filter((p) => p.name).map((p) => [`${prefix}_SERVICE_PORT_${word(p.name!)}`, String(p.port)] as const),
    ...ports.flatMap((p, i) => ofPort(prefix, ip, p, i === 0)),
  ];
}

/** Of the pod's namespace with `enableServiceLinks`, and always of the `kubernetes` service. */
export function serviceEnvironment(services: readonly Service[], namespace: string, links: boolean): Variables {
  const isApi = (s: Service): boolean => s.metadata.namespace === "default" && s.metadata.name === "kubernetes";
  return services
    .filter((s) => isApi(s) || (links && s.metadata.namespace === namespace))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap(ofService);
}

interface EnvironmentSources {
  readonly lookup: Lookup;
  readonly facts: NodeFacts;
  readonly services: Variables;
}

const reference = /\$(\$|\(([^()]*)\))/g;
/** The names of the variables that the text refers to. */
export const variablesIn = (text: string): readonly string[] =>
  [...text.matchAll(reference)].flatMap(([, , name]) => name ?? []);

/** Replaces `$(NAME)` where the name is known; `$$` is a plain dollar sign; anything else stays as it is. */
export function expand(text: string, known: ReadonlyMap<string, string>): string {
  return text.replace(reference, (unchanged, rest: string, name: string | undefined) =>
    rest === "$" ? "$" : (known.get(name ?? "") ?? unchanged),
  );
}

const text = (base64: string): string => Buffer.from(base64, "base64").toString();

function fromSource(source: EnvFromSource, lookup: Lookup): Variables {
  const { configMapRef, secretRef, prefix = "" } = source;
  const named = (data: Readonly<Record<string, string>> | undefined, read: (s: string) => string): Variables =>
    Object.entries(data ?? {})
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [prefix + k, read(v)] as const);
  if (configMapRef?.name) {
    const found = lookup.configMap(configMapRef.name);
    if (found === undefined && !configMapRef.optional) throw new Unmet(`configmap "${configMapRef.name}" not found`);
    return named(found?.data, (s) => s);
  }
  if (secretRef?.name) {
    const found = lookup.secret(secretRef.name);
    if (found === undefined && !secretRef.optional) throw new Unmet(`secret "${secretRef.name}" not found`);
    return named(found?.data, text);
  }
  return [];
}

/** The value of `valueFrom`; undefined, and the variable unset, when an optional reference does not exist. */
function valueFrom(pod: Pod, c: Container, e: EnvVar, sources: EnvironmentSources): string | undefined {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = e.valueFrom!;
  const { lookup, facts } = sources;
  if (fieldRef) return fieldValue(pod, fieldRef.fieldPath, facts);
  if (resourceFieldRef) return resourceValue(pod, c, resourceFieldRef, facts);
  const ref = configMapKeyRef ?? secretKeyRef;
  if (!ref?.name) return undefined;
  const kind = configMapKeyRef ? "ConfigMap" : "Secret";
  const found = configMapKeyRef ? lookup.configMap(ref.name) : lookup.secret(ref.name);
  if (found === undefined && !ref.optional) throw new Unmet(`${kind.toLowerCase()} "${ref.name}" not found`);
  const value = found?.data?.[ref.key];
  if (value === undefined && !ref.optional)
    throw new Unmet(`couldn't find key ${ref.key} in ${kind} ${pod.metadata.namespace}/${ref.name}`);
  return value === undefined || configMapKeyRef ? value : text(value);
}

/** The variables in the order of their first occurrence. Throws `Unmet` when a required reference does not exist. */
export function environment(pod: Pod, c: Container, sources: EnvironmentSources): ReadonlyMap<string, string> {
  const known = new Map<string, string>(sources.services);
  for (const source of c.envFrom ?? [])
    for (const [name, value] of fromSource(source, sources.lookup)) known.set(name, value);
  for (const e of c.env ?? []) {
    const value = e.valueFrom ? valueFrom(pod, c, e, sources) : expand(e.value ?? "", known);
    if (value !== undefined) known.set(e.name, value);
  }
  return known;
}
