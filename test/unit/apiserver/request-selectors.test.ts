// What a request and an access review select: by name, by fields and by labels, and what of it cannot be read.
import { expect, test } from "vitest";
import type { RequestInfo } from "../../../apiserver/authorization/authorizer.ts";
import { requestInfo, resourcePath } from "../../../apiserver/request/path.ts";
import { describedRequest } from "../../../apiserver/verbs/access-attributes.ts";

const fields = (field: string, value: string, equal = true) => ({ fieldSelector: [{ field, equal, value }] });
const app = { labelSelector: [{ key: "app", operator: "In", values: ["web"] }] };

const requests: readonly (readonly [method: string, url: string, expected: Partial<RequestInfo>])[] = [
  ["GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn", { verb: "list", ...fields("spec.nodeName", "n") }],
  [
    "GET",
    "/api/v1/pods?watch=1&fieldSelector=spec.nodeName!%3Dn",
    { verb: "watch", ...fields("spec.nodeName", "n", false) },
  ],
  ["GET", "/api/v1/pods?labelSelector=app%3Dweb", { verb: "list", ...(app as object) }],
  ["DELETE", "/api/v1/namespaces/x/pods?labelSelector=app%3Dweb", { verb: "deletecollection", ...(app as object) }],
  [
    "GET",
    "/api/v1/nodes?fieldSelector=metadata.name%3Dn",
    { verb: "list", name: "n", ...fields("metadata.name", "n") },
  ],
  ["GET", "/api/v1/nodes?fieldSelector=metadata.name!%3Dn", { verb: "list", ...fields("metadata.name", "n", false) }],
  ["GET", "/api/v1/nodes?fieldSelector=metadata.name%3Da/b", { verb: "list", ...fields("metadata.name", "a/b") }],
  ["GET", "/api/v1/nodes?fieldSelector=metadata.name%3D..", { verb: "list", ...fields("metadata.name", "..") }],
  ["GET", "/api/v1/nodes?fieldSelector=metadata.name%3D", { verb: "list", ...fields("metadata.name", "") }],
  [
    "DELETE",
    "/api/v1/namespaces/x/pods?fieldSelector=metadata.name%3Dn",
    { verb: "deletecollection", ...fields("metadata.name", "n") },
  ],
  ["GET", "/api/v1/pods?fieldSelector=nonsense", { verb: "list" }],
  ["GET", "/api/v1/pods?labelSelector=a%20b", { verb: "list" }],
  ["GET", "/api/v1/namespaces/x/pods/p?fieldSelector=spec.nodeName%3Dn", { verb: "get", name: "p" }],
  ["GET", "/api/v1/watch/pods?fieldSelector=spec.nodeName%3Dn", { verb: "watch" }],
  ["POST", "/api/v1/namespaces/x/pods?fieldSelector=spec.nodeName%3Dn", { verb: "create" }],
];
test.each(requests)("%s %s", (method, url, expected) => {
  const [path = "", query = ""] = url.split("?");
  const {
    group: _,
    version: _v,
    resource: _r,
    namespace: _n,
    ...info
  } = requestInfo(method, { path, place: resourcePath(path) }, new URLSearchParams(query));
  expect(info).toEqual(expected);
});

const ignored = (name: string, extent = "ignored"): string =>
  `spec.resourceAttributes.${name} ${extent} due to parse error`;
const list = { verb: "list", resource: "pods" };
const reviews: [what: string, sent: object, expected: object, ...problems: string[]][] = [
  ["no selector", {}, {}],
  ["a version", { version: "v1" }, { version: "v1" }],
  ["raw fields", { fieldSelector: { rawSelector: "spec.nodeName=n" } }, fields("spec.nodeName", "n")],
  ["raw labels", { labelSelector: { rawSelector: "app=web" } }, app],
  ["raw nonsense", { fieldSelector: { rawSelector: "a" } }, {}, ignored("fieldSelector")],
  [
    "both raw and wrong",
    { fieldSelector: { rawSelector: "a" }, labelSelector: { rawSelector: "a b" } },
    {},
    ignored("fieldSelector"),
    ignored("labelSelector"),
  ],
  [
    "a field that equals",
    { fieldSelector: { requirements: [{ key: "spec.nodeName", operator: "In", values: ["n"] }] } },
    fields("spec.nodeName", "n"),
  ],
  [
    "a field that differs",
    { fieldSelector: { requirements: [{ key: "spec.nodeName", operator: "NotIn", values: ["n"] }] } },
    fields("spec.nodeName", "n", false),
  ],
  [
    "a field of several values, beside one of one",
    {
      fieldSelector: {
        requirements: [
          { key: "a", operator: "In", values: ["b", "c"] },
          { key: "spec.nodeName", operator: "In", values: ["n"] },
        ],
      },
    },
    fields("spec.nodeName", "n"),
    ignored("fieldSelector", "partially ignored"),
  ],
  [
    "a field that exists",
    { fieldSelector: { requirements: [{ key: "a", operator: "Exists" }] } },
    {},
    ignored("fieldSelector"),
  ],
  [
    "labels, one by an operator of later versions",
    {
      labelSelector: {
        requirements: [
          { key: "app", operator: "In", values: ["web"] },
          { key: "b", operator: "Like", values: ["c"] },
        ],
      },
    },
    app,
    ignored("labelSelector", "partially ignored"),
  ],
];
for (const [what, sent, expected, ...problems] of reviews)
  test(`a review of: ${what}`, () => {
    const described = describedRequest({ resourceAttributes: { ...list, ...sent } });
    expect(described).toEqual({ info: { version: "*", ...list, ...expected }, problems });
  });
test("a review of a path", () => {
  const described = describedRequest({ nonResourceAttributes: { verb: "get", path: "/metrics" } });
  expect(described).toEqual({ info: { verb: "get", path: "/metrics" }, problems: [] });
});
