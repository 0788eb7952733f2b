// What the API says of a wrong object, field by field, as a user reads it.
import { expect, test } from "vitest";
import type { ResourceDefinition } from "../../../../api/kinds.ts";
import type { ApiObject, Draft } from "../../../../api/meta.ts";
import { apiVersionOf } from "../../../../api/kinds.ts";

/** What is wrong, in one line for each field. */
export const said = (problems: readonly { readonly path: string; readonly message: string }[]): readonly string[] =>
  problems.map((p) => `${p.path}: ${p.message}`);

/** An object of the kind as it is stored once it is created. */
export function born<T extends ApiObject>(r: ResourceDefinition<T>, given: object): T {
  const { metadata, ...rest } = given as { readonly metadata?: object };
  const meta = { name: "a", ...(r.scope === "Namespaced" && { namespace: "default" }), ...metadata };
  const full = r.defaults({ ...rest, metadata: meta } as unknown as Draft<T>);
  const own = { uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  return r.onCreate({
    ...full,
    apiVersion: apiVersionOf(r),
    kind: r.kind,
    metadata: { ...full.metadata, ...own },
  } as unknown as T);
}

/** One wrong object, and all that is said of it. */
export type Wrong = readonly [what: string, given: object, ...said: string[]];

/** Each row is refused in exactly these words. */
export function refuses<T extends ApiObject>(r: ResourceDefinition<T>, table: readonly Wrong[]): void {
  for (const [what, given, ...expected] of table)
    test(`${r.kind}: ${what} is refused`, () =>
      expect(said(r.validate(born(r, given) as unknown as Draft<T>))).toEqual(expected));
}

/** One change of an object that stands, and all that is said of it; nothing when it is allowed. */
export type Changed = readonly [what: string, from: object, to: object, ...said: string[]];

/** Each row's change is allowed, or refused in words that begin like these. */
export function changes<T extends ApiObject>(r: ResourceDefinition<T>, table: readonly Changed[]): void {
  for (const [what, from, to, ...expected] of table)
    test(`${r.kind}: ${what}`, () => {
      const old = born(r, from);
      const next = { ...born(r, to), status: (old as { readonly status?: unknown }).status };
      const heard = said(r.validate(next as unknown as Draft<T>, old)).map((line) => line.split("\n")[0]);
      expect(heard).toEqual(expected);
    });
}
