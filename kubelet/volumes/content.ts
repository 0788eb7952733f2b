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

interface Wanted {
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
  readonly mode: number;
}

function picked(data: Data, { items, optional, mode }: Wanted): VolumeFiles {
  if (items === undefined || items.length === 0)
    return Object.fromEntries(Object.entries(data).map(([k, d]) => [k, { data: d, mode }]));
  const files = items.flatMap((item): readonly (readonly [string, VolumeFile])[] => {
    const found = data[item.key];
    if (found === undefined && !optional) throw new Unmet("references non-existent config key: ".concat(item.key));
    return found === undefined ? [] : [[item.path, { data: found, mode: item.mode ?? mode }]];
  });
  return Object.fromEntries(files);
}

function fromObject(
  kind: "configmap" | "secret",
  name: string | undefined,
  wanted: Wanted,
  sources: ContentSources,
): VolumeFiles {
  const { lookup, pod } = sources;
  const data = kind === "secret" ? lookup.secret(name ?? "") : lookup.configMap(name ?? "");
  if (data === undefined) {
    if (wanted.optional) return {};
    throw new Unmet(`${kind} "${name}" not found`);
  }
  try {
    return picked(kind === "secret" ? ofSecret(data as Secret) : ofConfigMap(data as ConfigMap), wanted);
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
  if (s.configMap) return fromObject("configmap", s.configMap.name, { ...s.configMap, mode }, sources);
  if (s.secret) return fromObject("secret", s.secret.name, { ...s.secret, mode }, sources);
  if (s.downwardAPI) return fromPod(s.downwardAPI.items, mode, sources);
  if (s.serviceAccountToken) return token(s.serviceAccountToken, mode, sources);
  return {};
}

/** The files of a volume; undefined if it is not made of API objects. Throws `Unmet` when an object is missing. */
export function contentOf(v: Volume, sources: ContentSources): VolumeFiles | undefined {
  if (v.configMap)
    return fromObject(
      "configmap",
      v.configMap.name,
      { ...v.configMap, mode: v.configMap.defaultMode ?? defaultMode },
      sources,
    );
  if (v.secret)
    return fromObject(
      "secret",
      v.secret.secretName,
      { ...v.secret, mode: v.secret.defaultMode ?? defaultMode },
      sources,
    );
  if (v.downwardAPI) return fromPod(v.downwardAPI.items, v.downwardAPI.defaultMode ?? defaultMode, sources);
  if (!v.projected) return undefined;
  const mode = v.projected.defaultMode ?? defaultMode;
  return Object.assign({}, ...(v.projected.sources ?? []).map((s) => projected(s, mode, sources)));
}
