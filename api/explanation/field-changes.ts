// The fields in which two versions of an object differ. Items of lists are matched by the field that names them.
import { sameJson } from "../hash.ts";
import type { FieldChange } from "./history.ts";

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Fields that tell the items of a list apart, the first that all items have with different values. */
const namingFields = ["name", "type", "uid", "key", "ip", "port", "containerPort", "topologyKey"];

function namingField(items: readonly unknown[]): string | undefined {
  if (!items.every(isFields)) return undefined;
  return namingFields.find((field) => {
    const values = items.map((item) => item[field]);
    return (
      values.every((v) => typeof v === "string" || typeof v === "number") && new Set(values).size === values.length
    );
  });
}

const plain = /^[A-Za-z_$][\w$-]*$/;
const step = (path: string, field: string): string =>
  plain.test(field) ? `${path === "" ? "" : `${path}.`}${field}` : `${path}[${JSON.stringify(field)}]`;

function* ofLists(before: readonly unknown[], after: readonly unknown[], path: string): Iterable<FieldChange> {
  const name = namingField([...before]) === namingField([...after]) ? namingField([...before]) : undefined;
  if (name === undefined) {
    for (let i = 0; i < Math.max(before.length, after.length); i++)
      yield* between(before[i], after[i], `${path}[${i}]`);
    return;
  }
  const byName = (items: readonly unknown[]): Map<unknown, unknown> =>
    new Map((items as readonly Fields[]).map((item) => [item[name], item]));
  const [old, now] = [byName(before), byName(after)];
  const kept = [[...old.keys()].filter((value) => now.has(value)), [...now.keys()].filter((value) => old.has(value))];
  // Another order of the same items is a change, too.
  if (!sameJson(kept[0], kept[1])) yield { path, before: kept[0], after: kept[1] };
  for (const value of new Set([...old.keys(), ...now.keys()]))
    yield* between(old.get(value), now.get(value), `${path}[${name}=${String(value)}]`);
}

function* between(before: unknown, after: unknown, path: string): Iterable<FieldChange> {
  if (sameJson(before, after)) return;
  if (isFields(before) && isFields(after)) {
    for (const field of new Set([...Object.keys(before), ...Object.keys(after)]))
      yield* between(before[field], after[field], step(path, field));
  } else if (Array.isArray(before) && Array.isArray(after) && before.length > 0 && after.length > 0) {
    yield* ofLists(before, after, path);
  } else {
    yield { path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
  }
}

/** What changes with every write. */
function withoutBookkeeping(object: object): object {
  const { metadata, ...rest } = object as { readonly metadata?: Fields };
  const { resourceVersion: _, managedFields: __, ...kept } = metadata ?? {};
  return { metadata: kept, ...rest };
}

/** The fields in which two versions differ, without their revisions and the record of who manages them. */
export const changesBetween = (before: object, after: object): readonly FieldChange[] => [
  ...between(withoutBookkeeping(before), withoutBookkeeping(after), ""),
];

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** The length of a value of a secret, in its place. */
const lengthOf = (value: unknown, isEncoded: boolean): string => {
  const text = String(value);
  const padding = /=*$/.exec(text)![0].length;
  return `${isEncoded ? (text.length * 3) / 4 - padding : text.length} bytes`;
};
const lengthsOf = (values: unknown, isEncoded: boolean): unknown =>
  isFields(values)
    ? Object.fromEntries(Object.entries(values).map(([key, value]) => [key, lengthOf(value, isEncoded)]))
    : lengthOf(values, isEncoded);

/** Whether a path of a secret leads to its values. */
const isSecret = (path: string): boolean =>
  /^(data|stringData)\b/.test(path) || path === "metadata.annotations" || path.includes(lastApplied);

/** The changes of a secret with the lengths of its values in their place, as `describe` shows them. */
export const withoutSecrets = (changes: readonly FieldChange[]): readonly FieldChange[] =>
  changes.map((change) => {
    if (!isSecret(change.path)) return change;
    const isEncoded = change.path.startsWith("data");
    const hidden = (value: unknown): unknown => lengthsOf(value, isEncoded);
    return {
      path: change.path,
      ...("before" in change && { before: hidden(change.before) }),
      ...("after" in change && { after: hidden(change.after) }),
    };
  });
