// The files of volumes made of API objects: configMap, secret, downwardAPI and projected. Pure.
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from "../../api/generated/types.ts";
import { fieldValue, type NodeFacts, resourceValue } from "../podspec/fields.ts";
import { type Lookup, Unmet } from "../podspec/references.ts";
import { commonUserOf } from "../podspec/security.ts";
import { type HeldTokens, tokenFor } from "./tokens.ts";

export interface VolumeFile {
  readonly data: Uint8Array;
  readonly mode: number;
  /** The owner's user id where it is not root. */
  readonly owner?: number;
}
/** By path inside the volume. */
export type VolumeFiles = Readonly<Record<string, VolumeFile>>;
export interface ContentSources {
  readonly pod: Pod;
  readonly lookup: Lookup;
  readonly facts: NodeFacts;
  readonly tokens: HeldTokens;
}
type Data = Readonly<Record<string, Uint8Array>>;

const defaultMode = 0o644;
const bytes = (text: string): Uint8Array => Buffer.from(text);
const decoded = (base64: string): Uint8Array => Buffer.from(base64, "base64");
const mapped = (map: Readonly<Record<string, string>> | undefined, read: (s: string) => Uint8Array): Data =>
  Object.fromEntries(Object.entries(map ?? {}).map(([k, v]) => [k, read(v)]));

const ofConfigMap = (c: ConfigMap): Data => ({ ...mapped(c.data, bytes), ...mapped(c.binaryData, decoded) });
const ofSecret = (s: Secret): Data => mapped(s.data, decoded);

interface ObjectSource {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
  readonly mode: number;
}

function picked(data: Data, { items, optional, mode }: ObjectSource): VolumeFiles {
  if (items === undefined || items.length === 0)
    return Object.fromEntries(Object.entries(data).map(([k, d]) => [k, { data: d, mode }]));
  const files = items.flatMap((item): readonly (readonly [string, VolumeFile])[] => {
    const found = data[item.key];
    if (found === undefined && !optional) throw new Unmet("references non-existent config key: ".concat(item.key));
    return found === undefined ? [] : [[item.path, { data: found, mode: item.mode ?? mode }]];
  });
  return Object.fromEntries(files);
}

function fromObject(kind: "configmap" | "secret", source: ObjectSource, { lookup, pod }: ContentSources): VolumeFiles {
  const { name = "", optional } = source;
  const [secret, config] = kind === "secret" ? [lookup.secret(name)] : [undefined, lookup.configMap(name)];
  const data = secret ? ofSecret(secret) : config && ofConfigMap(config);
  if (data === undefined) {
    if (optional) return {};
    throw new Unmet(`${kind} "${name}" not found`);
  }
  try {
    return picked(data, source);
  } catch (e) {
    throw e instanceof Unmet ? new Unmet(`${kind} ${pod.metadata.namespace}/${name} ${e.message}`) : e;
  }
}

function fromPod(
  items: readonly DownwardAPIVolumeFile[] | undefined,
  mode: number,
  { pod, facts }: ContentSources,
): VolumeFiles {
  const entries = (items ?? []).map((item) => {
    const value = item.fieldRef
      ? fieldValue(pod, item.fieldRef.fieldPath, facts)
      : item.resourceFieldRef && resourceValue(pod, undefined, item.resourceFieldRef, facts);
    return [item.path, { data: bytes(value ?? ""), mode: item.mode ?? mode }] as const;
  });
  return Object.fromEntries(entries);
}

/** A token is readable by the pod's own user and group only, where it has them (KEP-2451). */
function token(s: ServiceAccountTokenProjection, mode: number, { pod, tokens }: ContentSources): VolumeFiles {
  const owner = commonUserOf(pod);
  const isRestricted = owner !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
  return { [s.path]: { data: bytes(tokenFor(tokens, s)), mode: isRestricted ? 0o600 : mode, owner } };
}

function projected(s: VolumeProjection, mode: number, sources: ContentSources): VolumeFiles {
  if (s.configMap) return fromObject("configmap", { ...s.configMap, mode }, sources);
  if (s.secret) return fromObject("secret", { ...s.secret, mode }, sources);
  if (s.downwardAPI) return fromPod(s.downwardAPI.items, mode, sources);
  if (s.serviceAccountToken) return token(s.serviceAccountToken, mode, sources);
  return {};
}

/** The files of a volume; undefined if it is not made of API objects. Throws `Unmet` when an object is missing. */
export function contentOf(v: Volume, sources: ContentSources): VolumeFiles | undefined {
  const { configMap, secret, downwardAPI } = v;
  const { defaultMode: mode = defaultMode } = configMap ?? secret ?? downwardAPI ?? v.projected ?? {};
  if (v.projected) return Object.assign({}, ...(v.projected.sources ?? []).map((s) => projected(s, mode, sources)));
  // The other types are projections of one source.
  if (!(configMap ?? secret ?? downwardAPI)) return undefined;
  return projected({ configMap, secret: secret && { ...secret, name: secret.secretName }, downwardAPI }, mode, sources);
}
