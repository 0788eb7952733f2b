// Content negotiation by the Accept header.
import fc from "fast-check";
import { expect, test } from "vitest";
import { accepted, negotiated, negotiatedStream } from "../../../apiserver/response/render.ts";

const as = (kind: string, version = "v1", group = "meta.k8s.io"): string => `as=${kind};v=${version};g=${group}`;
const table = `application/json;${as("Table")}`;
const protobuf = "application/vnd.kubernetes.protobuf";
/** A summary of the negotiated form, its version unless v1, and the serialization unless JSON. */
function summaryOf(accept: string | undefined): string {
  const found = accepted(accept);
  if (!found) return "nothing";
  const { form, version, isList, writing, pretty } = found;
  const words = [
    form,
    isList && "of a list",
    version === "v1beta1" && version,
    writing === "yaml" && writing,
    pretty && "pretty",
  ];
  return words.filter(Boolean).join(" ");
}

const accepts = [
  [undefined, "Plain"],
  ["", "Plain"],
  ["*/*", "Plain"],
  ["application/*", "Plain"],
  ["application/json", "Plain"],
  ["APPLICATION/JSON; charset=utf-8", "Plain"],
  ["application/json;pretty=1", "Plain pretty"],
  ["application/json;stream=watch", "Plain"],
  ["application/json;stream=other", "nothing"],
  ["application/json;sv=v1", "Plain"],
  ["application/json;sv=v9", "nothing"],
  ["application/yaml", "Plain yaml"],
  ["application/yaml;stream=watch", "nothing"],
  ["application/yaml,application/json", "Plain yaml"],
  ["application/yaml;q=0.5,application/json;q=0.9", "Plain"],
  ["*/*,application/yaml", "Plain yaml"],
  [table, "Table"],
  [`${table},application/json`, "Table"],
  [`application/json,${table}`, "Plain"],
  [`application/json;q=0.1,${table};q=0.2`, "Table"],
  [`application/yaml;${as("Table")}`, "Table yaml"],
  [`application/json;${as("Table", "v1beta1")},application/json`, "Table v1beta1"],
  [`application/json;${as("Table", "v2")},application/json`, "Plain"],
  [`application/json;${as("Table", "v1", "other.io")}`, "nothing"],
  ["application/json;as=Table", "nothing"],
  ["application/json;g=meta.k8s.io;v=v1", "nothing"],
  [`application/json;${as("Cake")},application/json`, "Plain"],
  [`application/json;${as("PartialObjectMetadata")}`, "Metadata"],
  [`application/json;${as("PartialObjectMetadataList")}`, "Metadata of a list"],
  [protobuf, "nothing"],
  ["application/cbor", "nothing"],
  [`${protobuf},application/json`, "Plain"],
  [`${protobuf};${as("PartialObjectMetadata")},${table}`, "Table"],
  ["text/html", "nothing"],
] as const;
for (const [accept, found] of accepts)
  test(`Accept: ${accept ?? "(none)"} gets ${found}`, () => expect(summaryOf(accept)).toBe(found));

test("406 lists the supported media types", () => {
  const only = "only the following media types are accepted:";
  expect(() => negotiated(protobuf)).toThrow(`${only} application/json, application/yaml`);
  expect(() => negotiated(table, ["Plain"])).toThrow(`${only} application/json, application/yaml`);
  expect(() => negotiatedStream("application/yaml")).toThrow(`${only} application/json;stream=watch`);
});

test("the media type with the highest quality is chosen in any order", () => {
  const types = ["application/json", "application/yaml", table];
  fc.assert(
    fc.property(
      fc.shuffledSubarray([0.1, 0.5, 0.9], { minLength: 3 }),
      fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
      (q, order) => {
        const header = order.map((i) => `${types[i]};q=${q[i]}`).join(" , ");
        expect(summaryOf(header)).toBe(["Plain", "Plain yaml", "Table"][q.indexOf(0.9)]);
      },
    ),
  );
});
