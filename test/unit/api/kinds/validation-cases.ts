// Tables of invalid objects and updates with their messages.
import { expect, test } from "vitest";
import type { ResourceDefinition } from "../../../../api/kinds.ts";
import type { ApiObject, Draft } from "../../../../api/meta.ts";
import { apiVersionOf } from "../../../../api/kinds.ts";

/** Problems as `path: message`. */
export const messagesOf = (
  problems: readonly { readonly path: string; readonly message: string }[],
): readonly string[] => problems.map((p) => `${p.path}: ${p.message}`);

/** An object of the kind as it is stored once it is created. */
export function stored<T extends ApiObject>(r: ResourceDefinition<T>, object: object): T {
  const { metadata, ...rest } = object as { readonly metadata?: object };
  const meta = { name: "a", ...(r.scope === "Namespaced" && { namespace: "default" }), ...metadata };
  const full = r.defaults({ ...rest, metadata: meta } as unknown as Draft<T>);
  const systemFields = { uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  return r.onCreate({
    ...full,
    apiVersion: apiVersionOf(r),
    kind: r.kind,
    metadata: { ...full.metadata, ...systemFields },
  } as unknown as T);
}

/** An invalid object and its messages. */
export type Invalid = readonly [what: string, object: object, ...messages: string[]];

/** Each row is refused with exactly these messages. */
export function refuses<T extends ApiObject>(r: ResourceDefinition<T>, table: readonly Invalid[]): void {
  for (const [what, object, ...expected] of table)
    test(`${r.kind}: ${what} is refused`, () =>
      expect(messagesOf(r.validate(stored(r, object) as unknown as Draft<T>))).toEqual(expected));
}

/** An update and its messages; none when it is valid. */
export type Update = readonly [what: string, from: object, to: object, ...messages: string[]];

/** Each row's update is valid, or refused with messages whose first lines are these. */
export function changes<T extends ApiObject>(r: ResourceDefinition<T>, table: readonly Update[]): void {
  for (const [what, from, to, ...expected] of table)
    test(`${r.kind}: ${what}`, () => {
      const old = stored(r, from);
      const next = { ...stored(r, to), status: (old as { readonly status?: unknown }).status };
      const messages = messagesOf(r.validate(next as unknown as Draft<T>, old)).map((line) => line.split("\n")[0]);
      expect(messages).toEqual(expected);
    });
}
