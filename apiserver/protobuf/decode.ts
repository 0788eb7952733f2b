// Objects sent as Protocol Buffers, decoded to JSON by their schema and a table of field numbers, which are facts of
// Kubernetes' wire format. Pure.
import { type Schema, resolve, schemaOf } from "../../api/schema.ts";
import table from "./field-numbers.json" with { type: "json" };

/** One field of a message: its number and value. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

const truncated = (): Error => new Error("the message ends in the middle of a field");

function varint(bytes: Uint8Array, from: number): readonly [bigint, number] {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) throw truncated();
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return [value, from + i + 1];
  }
  throw new Error("a number is longer than 64 bits");
}

function piece(bytes: Uint8Array, from: number, length: number): readonly [Uint8Array, number] {
  if (from + length > bytes.length) throw truncated();
  return [bytes.subarray(from, from + length), from + length];
}

/** The fields of a message in their order. */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  while (at < bytes.length) {
    const [tag, begin] = varint(bytes, at);
    const number = Number(tag >> 3n);
    const kind = Number(tag & 7n);
    let value: bigint | Uint8Array;
    if (kind === 0) [value, at] = varint(bytes, begin);
    else if (kind === 1) [value, at] = piece(bytes, begin, 8);
    else if (kind === 5) [value, at] = piece(bytes, begin, 4);
    else if (kind === 2) {
      const [length, start] = varint(bytes, begin);
      [value, at] = piece(bytes, start, Number(length));
    } else throw new Error(`fields of wire type ${kind} are not spoken here`);
    yield { number, value };
  }
}

/** The bytes under a number, where a message is known to hold them. */
export function bytesAt(message: Uint8Array, number: number): Uint8Array | undefined {
  for (const field of fieldsOf(message))
    if (field.number === number && field.value instanceof Uint8Array) return field.value;
  return undefined;
}
/** The number under a number. */
export function numberAt(message: Uint8Array, number: number): bigint | undefined {
  for (const field of fieldsOf(message))
    if (field.number === number && typeof field.value === "bigint") return field.value;
  return undefined;
}
/** The text under a number; absent and empty are the same to protobuf. */
export const textAt = (message: Uint8Array, number: number): string =>
  Buffer.from(bytesAt(message, number) ?? new Uint8Array()).toString("utf8");

/** The four bytes before every message. */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/** Numbers and booleans whose zero value is significant; for all others it means that the field is not set. */
const meantWhenZero = new Set(
  [
    "replicas minReplicas completions parallelism backoffLimit revisionHistoryLimit progressDeadlineSeconds priority mode",
    "terminationGracePeriodSeconds activeDeadlineSeconds gracePeriodSeconds tolerationSeconds stabilizationWindowSeconds",
    "runAsUser runAsGroup fsGroup defaultMode automountServiceAccountToken enableServiceLinks shareProcessNamespace optional",
    "privileged allowPrivilegeEscalation readOnlyRootFilesystem runAsNonRoot immutable controller blockOwnerDeletion",
    "successfulJobsHistoryLimit failedJobsHistoryLimit startingDeadlineSeconds backoffLimitPerIndex maxFailedIndexes start",
    "orphanDependents allocateLoadBalancerNodePorts hostUsers setHostnameAsFQDN ready serving terminating ttlSecondsAfterFinished",
    "suspend manualSelector succeededCount partition minAvailable maxUnavailable maxSurge hostProcess started limitBytes lun",
    "leaseTransitions leaseDurationSeconds allowVolumeExpansion attachRequired podInfoOnMount requiresRepublish seLinuxMount",
    "storageCapacity serviceAccountTokenInSecrets nodeAllocatableUpdatePeriodSeconds preventPodSchedulingIfMissing endPort",
    "expirationSeconds maxExpirationSeconds minDomains averageUtilization currentAverageUtilization collisionCount errorCode",
    "currentCPUUtilizationPercentage deletionGracePeriodSeconds terminatingReplicas borrowingLimitPercent lendablePercent",
    "bool int adminAccess allowMultipleAllocations bindsToNode perDeviceNodeSelection failedPodsLimit poolCount userNamespaces",
    "maximum minimum maxLength minLength maxItems minItems maxProperties minProperties multipleOf optionalOldSelf",
    "x-kubernetes-preserve-unknown-fields recursiveReadOnlyMounts supplementalGroupsPolicy ignoreStoreReadErrorWithClusterBreakingPotential",
  ].flatMap((line) => line.split(" ")),
);

type Numbers = ReadonlyMap<number, string>;
const numbers = new Map<string, Numbers>(
  Object.entries(table).map(([message, fields]) => [
    message,
    new Map(
      fields
        .split(" ")
        .filter((f) => f !== "")
        .map((field) => {
          const colon = field.indexOf(":");
          return [Number(field.slice(0, colon)), field.slice(colon + 1)];
        }),
    ),
  ]),
);
const messageOf = (schema: Schema): string => schema.$ref?.slice(schema.$ref.lastIndexOf("/") + 1) ?? "";

const signed = (value: bigint): number => Number(BigInt.asIntN(64, value));

/** `metav1.Time` and `MicroTime` are messages of seconds and nanoseconds; nothing at all is no time. */
function time(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined;
  const [seconds, nanos] = [signed(numberAt(bytes, 1) ?? 0n), signed(numberAt(bytes, 2) ?? 0n)];
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return nanos === 0 ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;
}

const intOrString = (bytes: Uint8Array): number | string =>
  (numberAt(bytes, 1) ?? 0n) === 0n ? signed(numberAt(bytes, 2) ?? 0n) : textAt(bytes, 3);

function scalar(value: bigint | Uint8Array, schema: Schema): unknown {
  if (schema["x-kubernetes-int-or-string"]) return intOrString(value as Uint8Array);
  if (typeof value === "bigint") return schema.type === "boolean" ? value !== 0n : signed(value);
  if (schema.format === "date-time" || schema.format === "date-time-micro") return time(value);
  if (schema.format === "quantity") return textAt(value, 1);
  if (schema.format === "byte") return Buffer.from(value).toString("base64");
  if (schema.type === "number") return Buffer.from(value).readDoubleLE();
  if (schema.type === "object" && value.length === 0) return {};
  // What has no shape of its own travels as JSON inside a message.
  if (schema.type !== "string") return JSON.parse(textAt(value, 1) || "null");
  return Buffer.from(value).toString("utf8");
}

function one(value: bigint | Uint8Array, schema: Schema): unknown {
  const full = resolve(schema);
  // The values of a map that are lists travel as messages of nothing but their items.
  if (full.type === "array" && value instanceof Uint8Array)
    return [...fieldsOf(value)].map((field) => one(field.value, full.items ?? {}));
  const named = numbers.has(messageOf(schema));
  if (named && value instanceof Uint8Array) return message(value, messageOf(schema), full);
  return scalar(value, full);
}

/** An entry of a map is a message of a key and a value. */
function mapEntry(entry: Uint8Array, schema: Schema): readonly [string, unknown] {
  return [textAt(entry, 1), one(bytesAt(entry, 2) ?? numberAt(entry, 2) ?? new Uint8Array(), schema)];
}

/** Strings that are significant when empty: a claim with an empty class does not get the default class. */
const meantWhenEmpty = new Set(["storageClassName", "volumeAttributesClassName", "failedIndexes"]);

const saysNothing = (name: string, value: unknown, required: boolean): boolean =>
  value === undefined ||
  value === null ||
  (value === "" && !meantWhenEmpty.has(name)) ||
  ((value === 0 || value === false) && !required && !meantWhenZero.has(name));

/** Groups whose types are in packages of their own servers. */
const packages: Readonly<Record<string, string>> = {
  "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
  "apiregistration.k8s.io": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
};

const schemaProps = `${packages["apiextensions.k8s.io"]}.v1.JSONSchemaProps`;
const schemaIn = (bytes: Uint8Array): object => message(bytes, schemaProps, schemaOf(schemaProps));
/** `JSONSchemaPropsOrBool`: whether others are allowed, and their schema. */
function schemaOrBool(bytes: Uint8Array): unknown {
  const schema = bytesAt(bytes, 2);
  return schema ? schemaIn(schema) : numberAt(bytes, 1) === 1n;
}
/** `JSONSchemaPropsOrArray`: one schema, or several. */
function schemaOrArray(bytes: Uint8Array): unknown {
  const schema = bytesAt(bytes, 1);
  if (schema) return schemaIn(schema);
  return [...fieldsOf(bytes)].map(({ value }) => schemaIn(value as Uint8Array));
}
/** Fields of no one type, which are messages of their own, by the names of their messages and fields. */
const ownForms: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  "JSONSchemaProps.items": schemaOrArray,
  "JSONSchemaProps.additionalItems": schemaOrBool,
  "JSONSchemaProps.additionalProperties": schemaOrBool,
  "CustomResourceSubresources.status": () => ({}),
};

function put(into: Record<string, unknown>, name: string, value: bigint | Uint8Array, schema: Schema): void {
  const field = schema.properties?.[name];
  if (!field) return;
  const full = resolve(field);
  if (full.type === "array") into[name] = [...((into[name] as unknown[]) ?? []), one(value, full.items ?? {})];
  else if (full.additionalProperties && value instanceof Uint8Array) {
    const [key, inner] = mapEntry(value, full.additionalProperties);
    into[name] = { ...(into[name] as object), [key]: inner };
  } else {
    const inner = one(value, field);
    if (!saysNothing(name, inner, schema.required?.includes(name) ?? false)) into[name] = inner;
  }
}

function message(bytes: Uint8Array, name: string, schema: Schema): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const known = numbers.get(name);
  for (const { number, value } of fieldsOf(bytes)) {
    const field = known?.get(number);
    // Some groups of fields are messages of their own here, while JSON has them among their neighbours.
    const ownForm = ownForms[`${name.slice(name.lastIndexOf(".") + 1)}.${field}`];
    if (field?.startsWith("...") && value instanceof Uint8Array)
      Object.assign(out, message(value, field.slice(3), schema));
    else if (ownForm && value instanceof Uint8Array) out[field!] = ownForm(value);
    else if (field !== undefined) put(out, field, value, schema);
  }
  return out;
}

/** The name a kind's schema is published under, which is also that of its message. */
function publishedName(apiVersion: string, kind: string): string {
  // Options belong to no group: they are sent with the version of their object.
  if (kind === "DeleteOptions") return "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
  const [version = "", group = "core"] = apiVersion.split("/").toReversed();
  return `${packages[group] ?? `io.k8s.api.${group.split(".")[0]}`}.${version}.${kind}`;
}

/** The object in an envelope, of the kind that the envelope names. Throws when the kind is unknown. */
export function decodeProtobuf(bytes: Uint8Array): Record<string, unknown> {
  if (!magic.equals(bytes.subarray(0, magic.length))) throw new Error("the envelope of a protobuf object is missing");
  const envelope = bytes.subarray(magic.length);
  const type = bytesAt(envelope, 1) ?? new Uint8Array();
  const [apiVersion, kind] = [textAt(type, 1), textAt(type, 2)];
  const name = publishedName(apiVersion, kind);
  return { apiVersion, kind, ...message(bytesAt(envelope, 2) ?? new Uint8Array(), name, schemaOf(name)) };
}
